import type { Db } from "../db.ts";
import { ReducerFailedError, UnknownVersionError } from "../errors.ts";
import { iteratePages, type Page } from "../store/iterate-pages.ts";
import { readStream } from "../store/read-stream.ts";
import type { StoredEvent } from "../store/types.ts";
import type { Reducer } from "./define-reducer.ts";

const pageSize = 1000;

/** From which state, of which version, to which version. */
interface Stretch<S> {
  readonly state: S;
  readonly from: bigint;
  readonly to: bigint;
}

/**
 * Folds a stretch of a stream, page by page: memory is bounded by two pages.
 *
 * @throws ReducerFailedError, UnknownVersionError
 */
export async function foldEvents<S>(
  db: Db,
  streamId: string,
  reducer: Reducer<S>,
  { tenantId, signal }: { readonly tenantId?: string | undefined; readonly signal?: AbortSignal | undefined },
  start: Stretch<S>,
): Promise<S> {
  const { from, to } = start;
  let asked = from;
  const next = async (): Promise<Page<StoredEvent>> => {
    const maxCount = Math.min(pageSize, Number(to - asked));
    const fromVersion = asked + 1n;
    asked += BigInt(maxCount);
    const items = maxCount === 0 ? [] : await readStream(db, { streamId, fromVersion, maxCount, tenantId });
    return { items, isLast: asked >= to };
  };
  let { state } = start;
  let version = from;
  for await (const event of iteratePages({ next }, signal)) {
    if (event.version !== version + 1n) break;
    state = evolve(reducer, state, event);
    version = event.version;
  }
  if (version < to) throw missing(streamId, version + 1n, to);
  return state;
}

function evolve<S>(reducer: Reducer<S>, state: S, event: StoredEvent): S {
  let problem: unknown = "it returned undefined";
  try {
    const next = reducer.evolve(state, event);
    if (next !== undefined) return next;
  } catch (error) {
    problem = error;
  }
  const { tenantId, streamId, version, type, eventId, position } = event;
  const text = problem instanceof Error ? problem.message : String(problem);
  throw new ReducerFailedError(
    `reducer ${reducer.name} failed at version ${version} of stream ${streamId}, an event ${type}: ${text}`,
    {
      detail: {
        reducer: reducer.name,
        reducer_version: reducer.version,
        tenant_id: tenantId,
        stream_id: streamId,
        version,
        position,
        event_id: eventId,
        type,
      },
      hint: `Correct the reducer. Up to the event before: atVersion: ${version - 1n}n`,
      cause: problem instanceof Error ? problem : undefined,
    },
  );
}

function missing(streamId: string, version: bigint, streamVersion: bigint): UnknownVersionError {
  return new UnknownVersionError(`stream ${streamId} has no event at version ${version}`, {
    detail: { stream_id: streamId, version, stream_version: streamVersion },
    hint: "What is not there any more can be folded from a snapshot taken before it went.",
  });
}
