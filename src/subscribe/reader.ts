import { z } from "zod";
import type { Db } from "../db.ts";
import { InvalidArgumentError } from "../errors.ts";
import { toOrdinal, toTenant, toText } from "../store/arguments.ts";
import { type EventRow, eventColumns, toStoredEvent } from "../store/event-row.ts";
import { readStream } from "../store/read-stream.ts";
import { streamVersion } from "../store/stream-version.ts";
import type { StoredEvent } from "../store/types.ts";
import { look } from "../waking/look.ts";

/** Which events. */
export interface ReaderInput {
  /**
   * `"start"` (the default), `"now"` (what comes once the loop has begun), or the position of the last event that need not be given
   * again; with `stream` its version.
   */
  readonly from?: "start" | "now" | bigint | number | undefined;
  /** Only these types. All, unless said otherwise. */
  readonly types?: readonly string[] | undefined;
  /** Only these categories. All, unless said otherwise. */
  readonly categories?: readonly string[] | undefined;
  /** Only this stream. */
  readonly stream?: string | undefined;
  /** `"*"` = every tenant the role is granted. The session's, unless said otherwise. */
  readonly tenantId?: string | undefined;
}

/** What was read. */
export interface ReadPage {
  readonly events: readonly StoredEvent[];
  /** There was no more. */
  readonly isLast: boolean;
}

/** Reads on from where it is, page by page. It moves only when a page has come, so a page that failed is asked for again. */
export interface Reader {
  /** @param horizon how far the log is known to be settled; undefined = not known yet */
  next(horizon: bigint | undefined): Promise<ReadPage>;
  /** Whether it is worth reading again after the last page. */
  mayHaveMore(horizon: bigint | undefined): boolean;
}

export function createReader(db: Db, input: ReaderInput, pageSize: number): Reader {
  const { from = "start", stream } = input;
  const after = typeof from === "string" ? from : toOrdinal(from, "from");
  toTenant(input.tenantId);
  if (stream === undefined) return logReader(db, input, after, pageSize);
  if (input.types !== undefined || input.categories !== undefined) {
    throw new InvalidArgumentError("a stream is followed whole", {
      detail: { argument: "stream", value: stream },
      hint: "Leave types and categories out, or leave out what the loop need not see.",
    });
  }
  return streamReader(db, input, toText(stream, "stream"), after, pageSize);
}

const readText = `select ${eventColumns()} from daybook.read_settled(
  after_position => $1::bigint, horizon => $2::bigint, max_count => $3::integer, types => $4::text[],
  categories => $5::text[], tenant_id => $6::text)`;

function logReader(db: Db, input: ReaderInput, from: "start" | "now" | bigint, pageSize: number): Reader {
  const types = input.types?.map((type) => toText(type, "types"));
  const categories = input.categories?.map((category) => toText(category, "categories"));
  let position = from === "start" ? 0n : from === "now" ? undefined : from;
  let seen: bigint | undefined;
  return {
    async next(horizon) {
      // the watch may not have looked yet, or a moment ago
      position ??= (await look(db)).horizon;
      const until = horizon ?? (await look(db)).horizon;
      const rows = await db.query<EventRow>(
        readText,
        [position, until, pageSize, types, categories, toTenant(input.tenantId)],
        { name: "daybook_read_settled", rowMode: "array" },
      );
      const events = rows.map(toStoredEvent);
      const isLast = events.length < pageSize;
      const end = isLast ? until : events.at(-1)?.position;
      if (end !== undefined && end > position) position = end;
      seen = horizon;
      return { events, isLast };
    },
    mayHaveMore: (horizon) => horizon !== seen,
  };
}

const versionRow = z.bigint();

function streamReader(
  db: Db,
  input: ReaderInput,
  streamId: string,
  from: "start" | "now" | bigint,
  pageSize: number,
): Reader {
  const { tenantId } = input;
  let version = from === "start" ? 0n : from === "now" ? undefined : from;
  let seen: bigint | undefined;
  return {
    async next(horizon) {
      version ??= versionRow.parse(await streamVersion(db, { streamId, tenantId }));
      const events = await readStream(db, { streamId, tenantId, fromVersion: version + 1n, maxCount: pageSize });
      version = events.at(-1)?.version ?? version;
      seen = horizon;
      return { events, isLast: events.length < pageSize };
    },
    mayHaveMore: (horizon) => horizon !== seen,
  };
}
