import { z } from "zod";
import { type DbLike, toDb } from "../db.ts";
import { toTenant, toText } from "./arguments.ts";

const row = z.object({ version: z.bigint() });

/**
 * Version of a stream: that of its last event, 0 where there is none.
 *
 * @throws InvalidArgumentError, TenantNotGrantedError
 */
export async function streamVersion(
  db: DbLike,
  input: { readonly streamId: string; readonly tenantId?: string | undefined },
): Promise<bigint> {
  const [found] = await toDb(db).query(
    "select daybook.stream_version(stream_id => $1::text, tenant_id => $2::text) as version",
    [toText(input.streamId, "streamId"), toTenant(input.tenantId)],
    { name: "daybook_stream_version" },
  );
  return row.parse(found).version;
}
