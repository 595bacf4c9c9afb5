import { append, appendBatch, appendEvent, appendStreams, type Entry } from "../support/calls.ts";
import type { Random } from "../support/random.ts";
import type { Session } from "../support/sessions.ts";

/**
 * Makes one append of a random kind to some of the streams, and gives the ids of the events that it has written.
 *
 * @param attempted told all ids before they are sent
 */
export async function appendSome(
  session: Session,
  random: Random,
  streams: readonly string[],
  attempted: (ids: readonly string[]) => void = () => undefined,
): Promise<string[]> {
  const ids = (most: number) => Array.from({ length: random.between(1, most) }, () => random.uuid());
  const kind = random.pick(["append_event", "append", "append_streams", "append_batch"] as const);
  const single = kind === "append_event" || kind === "append";
  const entries: (Entry & { ids: string[] })[] = random
    .some(streams, single ? 1 : random.between(1, 3))
    .map((stream) => ({ stream, ids: ids(kind === "append_event" ? 1 : 3) }));
  attempted(entries.flatMap((entry) => entry.ids));
  const [first] = entries;
  if (!first) throw new Error("no streams to append to");
  const { text, values } = {
    append_event: () => appendEvent(first),
    append: () => append(first),
    append_streams: () => appendStreams(...entries),
    append_batch: () => appendBatch(...entries),
  }[kind]();
  const rows = await session.rows(text, values);
  if (kind !== "append_batch") return entries.flatMap((entry) => entry.ids);
  return rows.flatMap((row, i) => (row.status === "appended" ? (entries[i]?.ids ?? []) : []));
}
