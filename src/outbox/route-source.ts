import type { PerformContext, Performed, Refusal, Source } from "../consumers/types.ts";
import type { OutboundMessage, SendOutcome, Transport } from "../transports/transport.ts";
import { type MessageRow, messageColumns, toMessage } from "./message-row.ts";

// shadow: written and counted, not sent
const modeColumn = "(select r.mode from daybook.outbox_routes r where r.name = $1::text) as mode";

const readText = `select ${messageColumns}, ${modeColumn} from daybook.read_outbox_for(
  name => $1::text, "position" => $2::bigint, horizon => $3::bigint, max_count => $4::integer, shard => $5::integer,
  shard_count => $6::integer)`;

const readParkedText = `select ${messageColumns}, ${modeColumn} from daybook.read_parked_messages(
  name => $1::text, tenant_id => $2::text, stream_id => $3::text, from_position => $4::bigint, through => $5::bigint,
  max_count => $6::integer)`;

/**
 * The messages of a route, and the transport that takes them. What it took cannot be rolled back: the claim's transaction
 * is the fence that keeps others from sending meanwhile, and the position moves by what was taken.
 *
 * @param timeout milliseconds the transport has for a batch
 */
export function routeSource(transport: Transport, timeout: number): Source<OutboundMessage> {
  let isShadow = false;
  const taken = (rows: MessageRow[]) => {
    isShadow = rows[0]?.[14] === "shadow";
    return rows.map(toMessage);
  };
  return {
    kind: "route",
    isTransactional: false,
    factsOf: ({ position, tenantId, key, messageId, type }) => ({
      position,
      tenantId,
      streamId: key,
      id: messageId,
      type,
    }),
    async read(tx, of, { after, horizon, maxCount }) {
      const values = [of.name, after, horizon, maxCount, of.shard, of.shardCount];
      return taken(await tx.query<MessageRow>(readText, values, { name: "daybook_read_outbox_for", rowMode: "array" }));
    },
    async readParked(tx, of, { tenantId, streamId, from, through, maxCount }) {
      const values = [of.name, tenantId, streamId, from, through, maxCount];
      const options = { name: "daybook_read_parked_messages", rowMode: "array" } as const;
      return taken(await tx.query<MessageRow>(readParkedText, values, options));
    },
    async perform(_tx, messages, context) {
      if (context.signal.aborted) return { done: 0, taken: 0, refusals: [] };
      if (isShadow || messages.length === 0) return { done: messages.length, taken: messages.length, refusals: [] };
      const [first, ...rest] = messages;
      const sent = first === undefined ? [] : [{ ...first, attempt: context.attempt }, ...rest];
      return toPerformed(sent, await send(transport, sent, context, timeout), context.signal);
    },
  };
}

const grace = 5000;

/** Hands messages over; a transport that is still silent some seconds after it was told to end is not waited for. */
async function send(
  transport: Transport,
  messages: readonly OutboundMessage[],
  { signal }: PerformContext,
  timeout: number,
): Promise<readonly SendOutcome[]> {
  const controller = new AbortController();
  const silence = Promise.withResolvers<never>();
  let last: NodeJS.Timeout | undefined;
  const end = (reason: unknown) => {
    if (last !== undefined) return;
    controller.abort(reason);
    const error = new Error(`transport ${transport.name} did not answer within ${timeout} ms`);
    last = setTimeout(() => silence.reject(error), grace);
  };
  const timer = setTimeout(() => end(new Error(`the transport had ${timeout} ms`)), timeout);
  const onAbort = () => end(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const outcomes = await Promise.race([transport.send(messages, { signal: controller.signal }), silence.promise]);
    if (outcomes.length === messages.length) return outcomes;
    throw new Error(`transport ${transport.name} gave ${outcomes.length} outcomes for ${messages.length} messages`);
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error));
    // it cannot work at all: that is no message's fault
    return messages.map((): SendOutcome => ({ ok: false, error: cause, unavailable: true }));
  } finally {
    clearTimeout(timer);
    clearTimeout(last);
    signal.removeEventListener("abort", onAbort);
  }
}

/** The first message of each key that was not taken; those behind it were held, and have not failed. */
function toPerformed(
  messages: readonly OutboundMessage[],
  outcomes: readonly SendOutcome[],
  signal: AbortSignal,
): Performed {
  const failed = new Set<string>();
  const refusals: Refusal[] = [];
  let taken = 0;
  // whoever has taken something since is not away for all: the streams it did not take wait, the others flow
  const lastTaken = outcomes.findLastIndex(({ ok }) => ok);
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.ok) {
      taken += 1;
      continue;
    }
    const { error, retryAfter, unavailable } = outcome;
    // told to stop: what has no answer has not failed, and is sent again with what comes behind it
    if (signal.aborted) return { done: index, taken, refusals: [] };
    if (unavailable && index > lastTaken)
      return { done: index, taken, refusals, away: { error, retryAfter, unavailable } };
    const { tenantId = "", key = "" } = messages[index] ?? {};
    const of = JSON.stringify([tenantId, key]);
    if (failed.has(of)) continue;
    // the time was over before its turn came: the next batch begins here
    if (outcome.held) return { done: index, taken, refusals, away: index === 0 ? { error } : undefined };
    refusals.push({ index, error, retryAfter, unavailable });
    failed.add(of);
  }
  return { done: outcomes.length, taken, refusals };
}
