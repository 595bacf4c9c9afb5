import { z } from "zod";
import { type Db, type DbLike, toDb } from "../db.ts";
import { toDaybookError } from "../errors.ts";
import { toTenant } from "./arguments.ts";
import type { AppendInput, AppendResult } from "./types.ts";
import { toWireAppend, type WireAppend, wireAppendJson } from "./wire-append.ts";

/**
 * What became of one entry of a batch. `failed`: nothing of it was written, and `error` says why. `busy`: another
 * transaction holds the stream; append it on its own, or again.
 */
export type BatchOutcome =
  | ({ readonly status: "appended" | "duplicate"; readonly streamId: string } & AppendResult)
  | { readonly status: "failed"; readonly streamId: string; readonly error: Error }
  | { readonly status: "busy"; readonly streamId: string };

const result = {
  entry: z.int(),
  stream_version: z.bigint(),
  first_position: z.bigint(),
  last_position: z.bigint(),
  duplicate: z.boolean(),
};

const row = z.discriminatedUnion("status", [
  z.object({ status: z.literal("appended"), ...result }),
  z.object({ status: z.literal("duplicate"), ...result }),
  z.object({ status: z.literal("failed"), entry: z.int(), error: z.looseObject({ code: z.string() }) }),
  z.object({ status: z.literal("busy"), entry: z.int() }),
]);
const rows = z.array(row);

/**
 * Makes many independent appends in one transaction. Each has its own outcome, in the order given: one that fails, for
 * whatever reason, fails alone. Never waits for a stream that somebody else holds. `createAppender` does this by itself
 * for concurrent calls.
 *
 * @param input.appends entries of one stream are appended in this order
 * @throws what befalls the batch as a whole: the connection is lost, more entries than the setting `max_events`
 */
export async function appendBatch(
  db: DbLike,
  input: { readonly appends: readonly AppendInput[]; readonly tenantId?: string | undefined },
): Promise<BatchOutcome[]> {
  const outcomes: BatchOutcome[] = [];
  const sent: { readonly place: number; readonly append: WireAppend }[] = [];
  for (const [place, append] of input.appends.entries()) {
    try {
      sent.push({ place, append: toWireAppend(append) });
    } catch (error) {
      outcomes[place] = { status: "failed", streamId: append.streamId, error: toError(error) };
    }
  }
  if (sent.length === 0 && outcomes.length > 0) return outcomes;
  const texts = sent.map(({ append }) => wireAppendJson(append));
  for (const found of await sendBatch(toDb(db), texts, toTenant(input.tenantId))) {
    const one = sent[found.entry];
    if (one) outcomes[one.place] = toOutcome(found, one.append.streamId);
  }
  return outcomes;
}

/** Sends entries that are written as JSON already; gives what the database says of each, in any order. */
export async function sendBatch(
  db: Db,
  entries: readonly string[],
  tenantId: string | null | undefined,
): Promise<z.output<typeof rows>> {
  return rows.parse(
    await db.query(
      `select entry, status, stream_version, first_position, last_position, duplicate, error
         from daybook.append_batch(appends => $1::jsonb, tenant_id => $2::text)`,
      [`[${entries.join(",")}]`, tenantId],
      { name: "daybook_append_batch" },
    ),
  );
}

/** The outcome a row of append_batch stands for. */
export function toOutcome(found: z.output<typeof row>, streamId: string): BatchOutcome {
  switch (found.status) {
    case "busy":
      return { status: "busy", streamId };
    case "failed":
      return { status: "failed", streamId, error: toError(toDaybookError(found.error)) };
    default:
      return {
        status: found.status,
        streamId,
        streamVersion: found.stream_version,
        firstPosition: found.first_position,
        lastPosition: found.last_position,
        duplicate: found.duplicate,
      };
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
