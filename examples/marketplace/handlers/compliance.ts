import { append, type Db, defineHandler, type StoredEvent } from "../../../src/index.ts";
import { dataOf, event as make, streams } from "../events.ts";

/** Where nobody may be called at all; a real one comes from a register. */
const forbiddenStates = new Set(["ZZ"]);

/**
 * Checks each call as it is created and as it is routed. What comes of it is an event too, and is appended in the
 * transaction that moves the handler on: each call is checked once, whatever fails in between.
 */
export const compliance = defineHandler({
  name: "compliance",
  subscribesTo: ["CallCreated", "CallRouted"],
  async handle(event, { tx }) {
    const outcome = event.type === "CallCreated" ? checkOrigin(event) : await checkConsent(event, tx);
    await append(tx, {
      streamId: streams.compliance(outcome.data.callId),
      events: {
        ...outcome,
        causationId: event.eventId,
        ...(event.correlationId && { correlationId: event.correlationId }),
      },
    });
  },
});

function checkOrigin(event: StoredEvent) {
  const { callId, state } = dataOf("CallCreated", event);
  return forbiddenStates.has(state)
    ? make("ComplianceViolationDetected", { callId, check: "origin", details: `no calls from ${state}` })
    : make("ComplianceCheckPassed", { callId, check: "origin" });
}

async function checkConsent(event: StoredEvent, tx: Db) {
  const { callId, destination } = dataOf("CallRouted", event);
  const [consent] = await tx.query<{ granted: boolean }>(
    "select granted from marketplace.consents where tenant_id = $1 and phone = $2",
    [event.tenantId, destination],
  );
  return consent?.granted === false
    ? make("ComplianceViolationDetected", { callId, check: "consent", details: `${destination} has revoked consent` })
    : make("ComplianceCheckPassed", { callId, check: "consent" });
}
