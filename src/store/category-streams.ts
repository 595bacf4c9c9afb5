import { z } from "zod";
import { type DbLike, toDb } from "../db.ts";
import { toCount, toTenant, toText } from "./arguments.ts";

/** A stream as it stands. */
export interface StreamSummary {
  readonly streamId: string;
  readonly version: bigint;
  /** No event of it was recorded before this moment. */
  readonly firstRecordedAt: Date;
  readonly lastRecordedAt: Date;
}

const rows = z.array(
  z
    .object({
      stream_id: z.string(),
      version: z.bigint(),
      first_recorded_at: z.date(),
      last_recorded_at: z.date(),
    })
    .transform(
      (row): StreamSummary => ({
        streamId: row.stream_id,
        version: row.version,
        firstRecordedAt: row.first_recorded_at,
        lastRecordedAt: row.last_recorded_at,
      }),
    ),
);

/**
 * Streams of a category in order of their names (byte by byte).
 *
 * @param input.afterStreamId name behind which to begin: for the next page, the last one given
 * @param input.maxCount default 1000, at most 100,000
 * @throws InvalidArgumentError, TenantNotGrantedError
 */
export async function categoryStreams(
  db: DbLike,
  input: {
    readonly category: string;
    readonly afterStreamId?: string | undefined;
    readonly maxCount?: number | undefined;
    readonly tenantId?: string | undefined;
  },
): Promise<StreamSummary[]> {
  const { category, afterStreamId = "", maxCount = 1000, tenantId } = input;
  return rows.parse(
    await toDb(db).query(
      `select stream_id, version, first_recorded_at, last_recorded_at from daybook.category_streams(
         category => $1::text, after_stream_id => $2::text, max_count => $3::integer, tenant_id => $4::text)`,
      [
        toText(category, "category"),
        toText(afterStreamId, "afterStreamId"),
        toCount(maxCount, "maxCount"),
        toTenant(tenantId),
      ],
      { name: "daybook_category_streams" },
    ),
  );
}
