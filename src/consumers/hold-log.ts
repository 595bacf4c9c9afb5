import { z } from "zod";
import type { Db } from "../db.ts";
import { reportOf } from "./error-report.ts";
import type { FailedMessage, FailOutcome, Hold, HoldInput, Refusal, ShardOf, Source } from "./types.ts";

const claims = z.array(
  z.object({
    position: z.bigint(),
    horizon: z.bigint(),
    on_failure: z.enum(["halt", "park", "skip"]),
    attempts: z.int(),
  }),
);

// whoever has narrowed this session to a tenant would skip the events of the others
const claimText = `
  select c.position, c.horizon, c.on_failure, c.attempts
    from (select set_config('daybook.tenant', '', true) is not null as is_wide offset 0) w
   cross join lateral daybook.claim_consumer(
           kind => case when w.is_wide then $1::text end, name => $2::text, shard => $3::integer, shard_count => $4::integer,
           known_horizon => $5::bigint) c`;

const finishText = `
  select w.was, daybook.finish_batch(
           kind => case when w.is_wide then $1::text end, name => $2::text, shard => $3::integer,
           from_position => $4::bigint, to_position => $5::bigint, event_id => $6::uuid,
           handled => $7::integer)
    from (
      select s.was, set_config('daybook.tenant', '', true) is not null as is_wide
        from (select current_setting('daybook.tenant', true) as was offset 0) s
      offset 0) w`;

const failText = `
  select daybook.fail_message(
           kind => case when w.is_wide then $1::text end, name => $2::text, shard => $3::integer,
           at_position => $4::bigint, failed_position => $5::bigint, tenant_id => $6::text, stream_id => $7::text,
           event_id => $8::uuid, type => $9::text, error => $10::jsonb, shard_count => $11::integer) as outcome
    from (select set_config('daybook.tenant', '', true) is not null as is_wide offset 0) w`;

const postponeText = `
  select daybook.postpone(
           kind => $1::text, name => $2::text, shard => $3::integer, at_position => $4::bigint, error => $5::jsonb) as outcome`;

const outcomes = z.array(z.object({ outcome: z.enum(["retry", "parked", "halted", "skipped", "stale"]) })).length(1);

/**
 * Takes the next messages behind the position of a shard, for this transaction. Nothing: somebody else has the shard,
 * it is paused, halted, or not due, its layout is another one now, or there is nothing to do.
 *
 * @throws CheckpointAheadError where its position lies beyond the end of the log
 */
export async function holdLog<M>(
  tx: Db,
  source: Source<M>,
  of: ShardOf,
  input: HoldInput,
): Promise<Hold<M> | undefined> {
  const [claim] = claims.parse(
    await tx.query(claimText, [of.kind, of.name, of.shard, of.shardCount, input.horizon], {
      name: "daybook_claim_consumer",
    }),
  );
  if (claim === undefined) return undefined;
  const { position, horizon, attempts } = claim;
  // what failed before is tried alone: what comes of it is its own doing
  const maxCount = attempts > 0 && source.isTransactional ? 1 : input.limit;
  const messages = await source.read(tx, of, { after: position, horizon, maxCount });
  const isLast = messages.length < maxCount;
  return {
    messages,
    attempts,
    isLast,
    onFailure: claim.on_failure,
    isParked: false,
    position,
    async finish(tx, through) {
      const last = through ?? messages.at(-1);
      const facts = last === undefined ? undefined : source.factsOf(last);
      const to = through === undefined && isLast ? horizon : (facts?.position ?? horizon);
      const handled = through === undefined ? messages.length : messages.indexOf(through) + 1;
      const values = [of.kind, of.name, of.shard, position, to, facts?.id, handled];
      return foundTenant(await tx.query(finishText, values, { name: "daybook_finish_batch" }));
    },
    fail: (db, failure, at = position) => failMessage(db, source, of, at, failure),
    postpone: (db, away, at = position) => postpone(db, of, at, away),
  };
}

async function failMessage<M>(db: Db, source: Source<M>, of: ShardOf, at: bigint, failure: FailedMessage<M>) {
  const { position, tenantId, streamId, id, type } = source.factsOf(failure.message);
  const told = [position, tenantId, streamId, id, type, failureJson(failure)];
  const values = [of.kind, of.name, of.shard, at, ...told, of.shardCount];
  const [row] = outcomes.parse(await db.query(failText, values, { name: "daybook_fail_message" }));
  return row?.outcome ?? "stale";
}

async function postpone(db: Db, of: ShardOf, at: bigint, away: Failure): Promise<FailOutcome> {
  const values = [of.kind, of.name, of.shard, at, failureJson(away)];
  const [row] = outcomes.parse(await db.query(postponeText, values, { name: "daybook_postpone" }));
  return row?.outcome === "retry" ? "postponed" : "stale";
}

const found = z.tuple([z.looseObject({ was: z.string().nullable() })]);

/** The tenant that a transaction was narrowed to when it was finished. */
export const foundTenant = (rows: unknown): string | null => found.parse(rows)[0].was;

type Failure = Omit<Refusal, "index">;

/** What the row of the failure keeps; `retry_after` in milliseconds, `unavailable` where it is no failed try. */
export function failureJson({ error, retryAfter, unavailable }: Failure): object {
  return {
    ...reportOf(error),
    ...(retryAfter !== undefined && { retry_after: Math.ceil(retryAfter) }),
    ...(unavailable === true && { unavailable }),
  };
}
