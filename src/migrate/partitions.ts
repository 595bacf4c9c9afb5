import type { Db } from "../db.ts";

/**
 * Makes the partitions that are missing of this month and the months ahead, if the role may, and gives their names. Takes
 * no lock where none is missing.
 */
export async function ensurePartitions(db: Db): Promise<string[]> {
  const [may] = await db.query<{ may: boolean }>(`
    select coalesce(has_function_privilege(to_regprocedure('daybook.ensure_partitions(integer)')::oid, 'execute')
                and has_table_privilege(to_regclass('daybook.event_partitions')::oid, 'select')
                and has_table_privilege(to_regclass('daybook.settings')::oid, 'select'), false) as may`);
  if (!may?.may) return [];
  const [state] = await db.query<{ complete: boolean }>(`
    select count(p.range_from) > max(s.partitions_ahead) as complete
      from daybook.settings s
      left join daybook.event_partitions p
        on p.range_from >= date_trunc('month', clock_timestamp(), 'UTC')
       and p.range_from <= (date_trunc('month', clock_timestamp(), 'UTC') at time zone 'UTC' + s.partitions_ahead * interval '1 month') at time zone 'UTC'`);
  if (state?.complete) return [];
  const made = await db.query<{ name: string }>("select p as name from daybook.ensure_partitions() p");
  return made.map((row) => row.name);
}
