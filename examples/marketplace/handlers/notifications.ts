import { defineHandler, type StoredEvent } from "../../../src/index.ts";
import { dataOf } from "../events.ts";

interface Letter {
  readonly recipient: string;
  readonly template: string;
  readonly fields: Record<string, unknown>;
}

/** Whom an event is told to, and how. */
export function lettersFor(event: StoredEvent): Letter[] {
  switch (event.type) {
    case "CallCompleted": {
      const { buyerId, sellerId, callId, seconds } = dataOf("CallCompleted", event);
      const fields = { callId, seconds };
      return [
        { recipient: buyerId, template: "call-received", fields },
        { recipient: sellerId, template: "call-sold", fields },
      ];
    }
    case "BidWon": {
      const { buyerId, callId, amount, currency } = dataOf("BidWon", event);
      return [{ recipient: buyerId, template: "bid-won", fields: { callId, amount, currency } }];
    }
    case "ComplianceViolationDetected": {
      const { callId, check, details } = dataOf("ComplianceViolationDetected", event);
      return [{ recipient: "compliance-officer", template: "violation", fields: { callId, check, details } }];
    }
    default:
      return [];
  }
}

/** Writes the letters that tell people of a completed call, a bid that won, a violation. */
export const notifications = defineHandler({
  name: "notifications",
  subscribesTo: ["CallCompleted", "BidWon", "ComplianceViolationDetected"],
  shards: 2,
  async handle(event, { tx }) {
    for (const { recipient, template, fields } of lettersFor(event)) {
      await tx.query(
        `insert into marketplace.notifications (tenant_id, event_id, recipient, template, fields)
         values ($1, $2, $3, $4, $5)`,
        [event.tenantId, event.eventId, recipient, template, fields],
      );
    }
  },
});
