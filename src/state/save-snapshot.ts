import { isDeepStrictEqual } from "node:util";
import type { Db } from "../db.ts";
import { parseJson } from "../store/json.ts";
import { toJson } from "../store/to-json.ts";
import { type OnEvent, safely } from "../waking/facts.ts";
import type { Reducer } from "./define-reducer.ts";

const saveText = `select daybook.save_snapshot(
  stream_id => $1::text, reducer => $2::text, reducer_version => $3::integer, version => $4::bigint, state => $5::jsonb,
  source => 'client', keep => $6::integer, tenant_id => $7::text) as saved`;

/** What is saved, and who is told if it is not. */
interface SnapshotInput<S> {
  readonly streamId: string;
  readonly version: bigint;
  readonly state: S;
  readonly tenantId?: string | undefined;
  readonly onEvent?: OnEvent | undefined;
}

/**
 * Saves a state, if what would be read again is the same: a state with a Map, or a Date without a schema that makes it
 * one again, is not what its snapshot would be. Never throws; a snapshot is a convenience.
 *
 * @returns whether it was saved
 */
export async function saveSnapshot<S>(db: Db, reducer: Reducer<S>, input: SnapshotInput<S>): Promise<boolean> {
  const { streamId, version, state, tenantId = null, onEvent } = input;
  const { name, version: reducerVersion, keepSnapshots } = reducer;
  try {
    const json = toJson(state, 0, "state");
    if (!isSame(reducer.revive(parseJson(json)), state)) {
      throw new TypeError("the state is not the same once it has been JSON: give the reducer a schema that revives it");
    }
    // in a transaction of the caller this is a savepoint: what fails here fails alone
    const [row] = await db.transaction((tx) =>
      tx.query(saveText, [streamId, name, reducerVersion, version, json, keepSnapshots, tenantId]),
    );
    return row?.saved === true;
  } catch (error) {
    const detail = { reducer: name, reducerVersion, streamId, version };
    safely(onEvent)({ type: "snapshot-not-saved", level: "warning", error, detail });
    return false;
  }
}

/** A property that is undefined is as good as none: JSON has no other way to say it. */
function isSame(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(withoutUndefined(one), withoutUndefined(other));
}

function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== "object" || value === null || !isPlain(value)) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([key, member]) => [key, withoutUndefined(member)]));
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
