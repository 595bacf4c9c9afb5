/** A query that appends, and gives back rows with `stream_version`, `first_position` and `last_position`. */
export interface Call {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** One append of a call: to which stream, how many events (1 if not given), expecting what. */
export interface Entry {
  readonly stream: string;
  readonly count?: number;
  readonly expected?: number | undefined;
  /** Ids of the events, as many as there are events. */
  readonly ids?: readonly string[];
}

function events({ count = 1, ids }: Entry): { type: string; event_id?: string }[] {
  const given = ids ?? Array.from({ length: count }, () => undefined);
  return given.map((id) => ({ type: "Tested", ...(id === undefined ? {} : { event_id: id }) }));
}

function asEntry(entry: Entry): Record<string, unknown> {
  const { stream, expected } = entry;
  return {
    stream_id: stream,
    events: events(entry),
    ...(expected === undefined ? {} : { expected_version: expected }),
  };
}

/** `append_event`: one event, with typed arguments. */
export function appendEvent({ stream, expected, ids }: Entry): Call {
  return {
    text: "select * from daybook.append_event($1, 'Tested', expected_version => $2, event_id => $3)",
    values: [stream, expected ?? null, ids?.[0] ?? null],
  };
}

/** `append`: any number of events of one stream. */
export function append(entry: Entry): Call {
  return {
    text: "select * from daybook.append($1, $2, $3)",
    values: [entry.stream, JSON.stringify(events(entry)), entry.expected ?? null],
  };
}

/** `append_streams`: several streams, all or nothing. A count of 0 is a version check alone. */
export function appendStreams(...entries: readonly Entry[]): Call {
  return { text: "select * from daybook.append_streams($1)", values: [JSON.stringify(entries.map(asEntry))] };
}

/** `append_batch`: several appends, each with its own outcome (`status`, `error`). */
export function appendBatch(...entries: readonly Entry[]): Call {
  return { text: "select * from daybook.append_batch($1)", values: [JSON.stringify(entries.map(asEntry))] };
}

/** The ways to append one event to a stream: what holds for one holds for all. */
export const WAYS: readonly { readonly name: string; readonly call: (entry: Entry) => Call }[] = [
  { name: "append_event", call: appendEvent },
  { name: "append", call: (entry) => append({ ...entry, count: 2 }) },
  { name: "append_streams", call: (entry) => appendStreams(entry) },
  { name: "append_batch", call: (entry) => appendBatch(entry) },
];
