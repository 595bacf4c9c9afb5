import { z } from "zod";
import type { Db } from "../db.ts";
import { failureJson, foundTenant } from "./hold-log.ts";
import type { FailedMessage, Hold, HoldInput, ShardOf, Source } from "./types.ts";

const claims = z.array(
  z.object({
    tenant_id: z.string(),
    stream_id: z.string(),
    position: z.bigint(),
    through: z.bigint(),
    attempts: z.int(),
  }),
);

const claimText = `
  select c.tenant_id, c.stream_id, c.position, c.through, c.attempts
    from (select set_config('daybook.tenant', '', true) is not null as is_wide offset 0) w
   cross join lateral daybook.claim_parked(
           kind => case when w.is_wide then $1::text end, name => $2::text, shard => $3::integer,
           shard_count => $4::integer, max_streams => 1) c`;

const finishText = `
  select w.was, daybook.finish_parked(
           kind => case when w.is_wide then $1::text end, name => $2::text, tenant_id => $3::text, stream_id => $4::text,
           from_position => $5::bigint, to_position => $6::bigint)
    from (
      select s.was, set_config('daybook.tenant', '', true) is not null as is_wide
        from (select current_setting('daybook.tenant', true) as was offset 0) s
      offset 0) w`;

const failText = `
  select daybook.fail_parked(
           kind => case when w.is_wide then $1::text end, name => $2::text, tenant_id => $3::text, stream_id => $4::text,
           failed_position => $5::bigint, event_id => $6::uuid, type => $7::text, error => $8::jsonb) as outcome
    from (select set_config('daybook.tenant', '', true) is not null as is_wide offset 0) w`;

const outcomes = z.array(z.object({ outcome: z.enum(["retry", "dead", "stale"]) })).length(1);

/**
 * Takes the messages of a parked stream that is due, for this transaction, and with it the shard: draining and un-parking
 * exclude each other. Nothing: none is due, or somebody else has the shard.
 */
export async function holdParked<M>(
  tx: Db,
  source: Source<M>,
  of: ShardOf,
  { limit }: Pick<HoldInput, "limit">,
): Promise<Hold<M> | undefined> {
  const [claim] = claims.parse(
    await tx.query(claimText, [of.kind, of.name, of.shard, of.shardCount], { name: "daybook_claim_parked" }),
  );
  if (claim === undefined) return undefined;
  const { tenant_id: tenantId, stream_id: streamId, position: from, through, attempts } = claim;
  const maxCount = attempts > 0 ? 1 : limit;
  const messages = await source.readParked(tx, of, { tenantId, streamId, from, through, maxCount });
  const isLast = messages.length < maxCount;
  return {
    messages,
    attempts,
    isLast: false,
    onFailure: "park",
    isParked: true,
    position: from,
    async finish(tx, upTo) {
      const last = upTo ?? messages.at(-1);
      const to = (upTo === undefined && isLast) || last === undefined ? through : source.factsOf(last).position;
      const values = [of.kind, of.name, tenantId, streamId, from, to];
      return foundTenant(await tx.query(finishText, values, { name: "daybook_finish_parked" }));
    },
    fail: (db, failure) => failParked(db, source, of, failure),
    async postpone(db, away) {
      const outcome = await failParked(db, source, of, { ...away, unavailable: true });
      return outcome === "retry" ? "postponed" : outcome;
    },
  };
}

async function failParked<M>(db: Db, source: Source<M>, of: ShardOf, failure: FailedMessage<M>) {
  const { position, tenantId, streamId, id, type } = source.factsOf(failure.message);
  const values = [of.kind, of.name, tenantId, streamId, position, id, type, failureJson(failure)];
  const [row] = outcomes.parse(await db.query(failText, values, { name: "daybook_fail_parked" }));
  return row?.outcome ?? "stale";
}
