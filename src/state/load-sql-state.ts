import { z } from "zod";
import type { Db } from "../db.ts";
import { toMoment, toOrdinal, toTenant, toText } from "../store/arguments.ts";
import type { Json } from "../store/json.ts";
import type { LoadedState } from "./load-state.ts";
import { initialJson } from "./reducer-fields.ts";

/** Which state of a stream, as a reducer in SQL folds it. */
export interface SqlStateOptions {
  /** State as of this version of the stream; 0 = before its first event. Default: the last. */
  readonly atVersion?: bigint | number | undefined;
  /** State as of what was recorded (`recordedAt`) up to this moment, to the millisecond. */
  readonly atTime?: Date | undefined;
  readonly tenantId?: string | undefined;
  /**
   * State of a stream without events, as JSON. The reducer's own unless said otherwise, `{}` for a function that is no
   * reducer. With another one than the reducer's, no snapshot is used.
   */
  readonly initial?: unknown;
}

/** The same, of a state that has a type. */
export interface TypedSqlStateOptions<S> extends SqlStateOptions {
  /** What the state has to be. */
  readonly schema: z.ZodType<S>;
}

// a Date has milliseconds, and an event's recordedAt is cut to them: what was recorded within that one belongs to it
const loadText = `select state, version, snapshot_version, events_folded from daybook.load_state(
  stream_id => $1::text, reducer => $2::text, initial => $3::jsonb, at_version => $4::bigint,
  at_time => $5::timestamptz + interval '999 microseconds', tenant_id => $6::text)`;

const found = z.object({
  state: z.custom<Json>(),
  version: z.bigint(),
  snapshot_version: z.bigint().nullable(),
  events_folded: z.coerce.number(),
});

/**
 * State of a stream as a reducer in SQL folds it, without one event leaving the database.
 *
 * @throws UnknownReducerError, InvalidReducerError, ReducerFailedError, UnknownVersionError, InvalidArgumentError,
 *   TenantNotGrantedError; ZodError where the state is not that of `schema`
 */
export async function loadSqlState<S>(
  db: Db,
  streamId: string,
  reducer: string,
  options: SqlStateOptions & { readonly schema?: z.ZodType<S> | undefined },
): Promise<LoadedState<S> | LoadedState<Json>> {
  const { atVersion, atTime, tenantId, initial, schema } = options;
  const [row] = await db.query(
    loadText,
    [
      toText(streamId, "streamId"),
      toText(reducer, "reducer"),
      initial === undefined ? null : initialJson(initial),
      atVersion === undefined ? null : toOrdinal(atVersion, "atVersion"),
      toMoment(atTime, "atTime") ?? null,
      toTenant(tenantId) ?? null,
    ],
    { name: "daybook_load_state" },
  );
  const { state, version, snapshot_version: snapshotVersion, events_folded: eventsFolded } = found.parse(row);
  const rest = { version, snapshotVersion, eventsFolded, savedSnapshot: false };
  return schema === undefined ? { state, ...rest } : { state: schema.parse(state), ...rest };
}
