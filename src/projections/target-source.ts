import { z } from "zod";
import { EffectError, type PerformContext, type Performed, type ShardOf } from "../consumers/types.ts";
import type { Db } from "../db.ts";
import { StaleClaimError } from "../errors.ts";
import { isConnectionLoss } from "../retriable.ts";
import type { StoredEvent } from "../store/types.ts";
import { type ProjectionSource, projectionSource } from "./projection-source.ts";
import type { Projection } from "./projection-types.ts";
import { type Checkpoint, checkpoints, enter, openTarget, TargetError, type Version } from "./target-tables.ts";

/** Milliseconds for which what is missing there is made up for in one go. */
const patience = 2000;
const many = 500;

/**
 * The events of a projection whose tables are in another database. Its checkpoint there is what counts: it moves in the
 * transaction of the effects, and the position in the store follows behind.
 */
export function targetSource(projection: Projection, name: string, target: Db): ProjectionSource {
  const base = projectionSource(projection, name);
  let version: Version | undefined;
  let checkpoint: Checkpoint | undefined;

  /** Effects and checkpoint, in one transaction there. */
  async function perform(events: readonly StoredEvent[], context: PerformContext): Promise<Performed> {
    const [at, of] = [checkpoint, version];
    if (at === undefined || of === undefined) throw new Error("nothing was read");
    if (events.length === 0) return { done: 0, taken: 0, refusals: [] };
    return target.transaction(async (tx) => {
      const mine = await tx.query(
        `select from ${checkpoints} c
          where c.projection = $1::text and c.version = $2::integer and c.position = $3::bigint and c.begun = $4::text
            for update`,
        [projection.name, of.version, at.position, of.begun],
      );
      if (mine.length === 0) throw stale(name, at.position);
      await enter(tx, of.schemaName);
      const performed = await base.perform(tx, events, {
        ...context,
        // tenants are the store's; what is there is its own affair
        narrow: async () => undefined,
        onMayHaveSet: () => undefined,
      });
      const last = events[performed.done - 1];
      if (last !== undefined) {
        await tx.query(
          `update ${checkpoints} set position = $3::bigint, event_id = $4::uuid, moved_at = now()
            where projection = $1::text and version = $2::integer`,
          [projection.name, of.version, last.position, last.eventId],
        );
      }
      return performed;
    });
  }

  /** What the store believes to be there and is not: the other database was set back, or is a new one. */
  async function makeUp(tx: Db, of: ShardOf, through: bigint): Promise<void> {
    const end = performance.now() + patience;
    const context = { attempt: 1, deadline: Number.POSITIVE_INFINITY, signal: never, ...unused };
    while (checkpoint !== undefined && checkpoint.position < through) {
      const events = await base.read(tx, of, { after: checkpoint.position, horizon: through, maxCount: many });
      const last = events.at(-1);
      if (last === undefined) return;
      await perform(events, context);
      checkpoint = { ...checkpoint, position: last.position, eventId: last.eventId };
      if (performance.now() >= end) throw stale(name, last.position);
    }
  }

  return {
    ...base,
    get version() {
      return base.version;
    },
    async read(tx, of, { after, horizon, maxCount }) {
      // finds out the version; what is behind the position is read below
      await base.read(tx, of, { after, horizon: after, maxCount: 1 });
      version = base.version;
      if (version === undefined) return [];
      checkpoint = await openTarget(target, projection, version);
      await verify(tx, name, checkpoint, version);
      await makeUp(tx, of, after);
      const from = checkpoint.position > after ? checkpoint.position : after;
      return from >= horizon ? [] : base.read(tx, of, { after: from, horizon, maxCount });
    },
    async perform(_, events, context) {
      try {
        return await perform(events, context);
      } catch (error) {
        if (error instanceof StaleClaimError) throw error;
        const cause = error instanceof EffectError ? error.cause : error;
        // it is no event's fault
        if (isConnectionLoss(cause)) return { done: 0, taken: 0, refusals: [], away: { error: cause } };
        throw error instanceof EffectError ? error : new EffectError(undefined, error);
      }
    },
  };
}

const never = new AbortController().signal;
const unused = { narrow: async () => undefined, onMayHaveSet: () => undefined };

const facts = z.tuple([
  z.object({
    event_id: z.string().nullable(),
    last: z.bigint(),
    /** Id of the last event that the store knows to be done. */
    known: z.string().nullable(),
  }),
]);

async function verify(tx: Db, name: string, { position, eventId, epoch }: Checkpoint, version: Version): Promise<void> {
  if (epoch !== version.epoch) {
    throw new TargetError(`its checkpoint is that of another store (${epoch}, not ${version.epoch})`);
  }
  if (eventId === null) return;
  const [{ event_id: found, last, known }] = facts.parse(
    await tx.query(
      `select (select e.event_id from daybook.events e where e.position = $1::bigint) as event_id,
              coalesce(pg_sequence_last_value('daybook.positions'::regclass), 0) as last,
              (select c.event_id from daybook.cursors c where c.kind = 'projection' and c.name = $2::text) as known`,
      [position, name],
    ),
  );
  if (position > last) {
    throw new TargetError(`its checkpoint, ${position}, lies beyond the end of the log, ${last}`);
  }
  // what retention has taken away is known by the store's own position
  if (found !== eventId && !(found === null && known === eventId)) {
    throw new TargetError(
      `its checkpoint is event ${eventId} at position ${position}, where the log has ${found ?? "nothing"}`,
    );
  }
}

function stale(name: string, position: bigint): StaleClaimError {
  return new StaleClaimError(`projection ${name} is no longer at position ${position} in its database`, {
    detail: { kind: "projection", name, position: null, expected: position },
  });
}
