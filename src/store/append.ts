import { z } from "zod";
import { type Db, type DbLike, toDb } from "../db.ts";
import type { AppendInput, AppendResult } from "./types.ts";
import { toWireAppend, type WireAppend, wireEventsJson } from "./wire-append.ts";
import type { WireEvent } from "./wire-event.ts";

interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

const appendResultRow = z
  .object({
    stream_version: z.bigint(),
    first_position: z.bigint(),
    last_position: z.bigint(),
    duplicate: z.boolean(),
  })
  .transform(
    (row): AppendResult => ({
      streamVersion: row.stream_version,
      firstPosition: row.first_position,
      lastPosition: row.last_position,
      duplicate: row.duplicate,
    }),
  );

const appendEvent = (streamId: string) => `daybook.append_event(
  stream_id => ${streamId}, type => $2::text, data => $3::jsonb, metadata => $4::jsonb, expected_version => $5::bigint,
  event_id => $6::uuid, correlation_id => $7::uuid, causation_id => $8::uuid, tags => $9::text[],
  schema_version => $10::integer, occurred_at => $11::timestamptz, idempotency_key => $12::text, tenant_id => $13::text)`;

const appendEvents = (streamId: string) => `daybook.append(
  stream_id => ${streamId}, events => $2::jsonb, expected_version => $3::bigint, idempotency_key => $4::text,
  tenant_id => $5::text)`;

const unbounded = (call: typeof appendEvent) => `select * from ${call("$1::text")}`;

/** The setting lasts as long as the statement, and the function waits for it: one round trip. */
const bounded = (call: typeof appendEvent, lockTimeout: string) => `select r.*
  from (select set_config('lock_timeout', ${lockTimeout}::text, true) as is_set offset 0) b
 cross join lateral ${call("case when b.is_set is not null then $1::text end")} r`;

const statements = {
  appendEvent: { name: "daybook_append_event", text: unbounded(appendEvent) },
  appendEvents: { name: "daybook_append", text: unbounded(appendEvents) },
  appendEventBounded: { name: "daybook_append_event_bounded", text: bounded(appendEvent, "$14") },
  appendEventsBounded: { name: "daybook_append_bounded", text: bounded(appendEvents, "$6") },
} as const;

/**
 * Appends one event or several to a stream, all or none, in a transaction of its own, or in the one that `db` is in.
 *
 * @throws WrongExpectedVersionError where the stream is at another version: read again, decide again
 * @throws IdempotencyKeyReusedError where the key was used with another payload
 * @throws InvalidEventError, InvalidAppendError, InvalidStreamIdError, InvalidExpectedVersionError, EventTooLargeError,
 *   TooManyEventsError, DuplicateEventIdError, TenantNotGrantedError: nothing was written
 */
export async function append(db: DbLike, input: AppendInput): Promise<AppendResult> {
  return send(toDb(db), appendStatement(toWireAppend(input)));
}

/**
 * The same for an append that is checked already, waiting for its stream only so long: 55P03 then.
 *
 * @param lockTimeout milliseconds
 */
export async function appendBounded(db: Db, append: WireAppend, lockTimeout: number): Promise<AppendResult> {
  return send(db, appendStatement(append, lockTimeout));
}

async function send(db: Db, { name, text, values }: Statement): Promise<AppendResult> {
  const [row] = await db.query(text, values, { name });
  return appendResultRow.parse(row);
}

/** One event goes as typed arguments, the fast way; several go as JSON. */
function appendStatement(append: WireAppend, lockTimeout?: number): Statement {
  const [event, ...more] = append.events;
  const isOne = event !== undefined && more.length === 0;
  const values = isOne ? oneEvent(append, event) : severalEvents(append);
  if (lockTimeout === undefined) {
    return { ...(isOne ? statements.appendEvent : statements.appendEvents), values };
  }
  return {
    ...(isOne ? statements.appendEventBounded : statements.appendEventsBounded),
    values: [...values, `${lockTimeout}ms`],
  };
}

function severalEvents(append: WireAppend): readonly unknown[] {
  return [
    append.streamId,
    wireEventsJson(append.events),
    append.expectedVersion,
    append.idempotencyKey,
    append.tenantId,
  ];
}

function oneEvent(append: WireAppend, event: WireEvent): readonly unknown[] {
  return [
    append.streamId,
    event.type,
    event.data,
    event.metadata,
    append.expectedVersion,
    event.eventId,
    event.correlationId,
    event.causationId,
    event.tags,
    event.schemaVersion ?? 1,
    event.occurredAt,
    append.idempotencyKey,
    append.tenantId,
  ];
}
