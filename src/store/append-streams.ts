import { z } from "zod";
import { type DbLike, toDb } from "../db.ts";
import { InvalidAppendError } from "../errors.ts";
import { toTenant } from "./arguments.ts";
import type { AppendInput } from "./types.ts";
import { checkEventIds, toWireAppend, wireAppendJson } from "./wire-append.ts";

/** One stream of an append to several. Without events it is a version check alone. */
export type StreamAppend = Omit<AppendInput, "events" | "tenantId"> & Partial<Pick<AppendInput, "events">>;

/** What an append did to one of its streams. */
export interface StreamAppendResult {
  readonly streamId: string;
  /** Version of the stream after it. */
  readonly streamVersion: bigint;
  /** Null where nothing was written: a version check. */
  readonly firstPosition: bigint | null;
  readonly lastPosition: bigint | null;
  /** True if these are the results of an earlier append of the same. */
  readonly duplicate: boolean;
}

const row = z
  .object({
    stream_id: z.string(),
    stream_version: z.bigint(),
    first_position: z.bigint().nullable(),
    last_position: z.bigint().nullable(),
    duplicate: z.boolean(),
  })
  .transform(
    (row): StreamAppendResult => ({
      streamId: row.stream_id,
      streamVersion: row.stream_version,
      firstPosition: row.first_position,
      lastPosition: row.last_position,
      duplicate: row.duplicate,
    }),
  );

/**
 * Appends to several streams, all or nothing. Gives one result for each entry, in the order given.
 *
 * @param input.appends each stream once; `events` left out or empty = its `expectedVersion` is checked, nothing written
 * @throws WrongExpectedVersionError with every check that failed in `conflicts`
 * @throws the errors of `append` besides; nothing was written
 */
export async function appendStreams(
  db: DbLike,
  input: { readonly appends: readonly StreamAppend[]; readonly tenantId?: string | undefined },
): Promise<StreamAppendResult[]> {
  const appends = input.appends.map((append) => toWireAppend({ events: [], ...append }, 0));
  for (const append of appends) {
    if (append.events.length > 0 || append.expectedVersion !== null) continue;
    throw new InvalidAppendError(`the entry for stream ${append.streamId} has neither events nor an expected version`, {
      detail: { stream_id: append.streamId },
      hint: "An entry without events is a version check: say which version is expected.",
    });
  }
  checkEventIds(appends.flatMap((append) => append.events));
  const rows = await toDb(db).query(
    "select * from daybook.append_streams(appends => $1::jsonb, tenant_id => $2::text)",
    [`[${appends.map(wireAppendJson).join(",")}]`, toTenant(input.tenantId)],
    { name: "daybook_append_streams" },
  );
  return z.array(row).parse(rows);
}
