import t from "tap";
import { testDatabase } from "../support/database.ts";
import { connect, rows } from "./support.ts";

const database = await testDatabase(t);
const db = await connect(t, database.url);
await db.query("select daybook.ensure_partitions(5)");

t.test("everything has a comment", async (t) => {
  const missing = await rows(
    db,
    `with own as (
       select c.* from pg_class c where c.relnamespace = 'daybook'::regnamespace
     )
     select 'schema' as kind, 'daybook' as name where obj_description('daybook'::regnamespace, 'pg_namespace') is null
     union all
     select 'function', p.oid::regprocedure::text from pg_proc p
      where p.pronamespace = 'daybook'::regnamespace and obj_description(p.oid, 'pg_proc') is null
     union all
     select case c.relkind when 'S' then 'sequence' when 'v' then 'view' when 'i' then 'index' when 'I' then 'index' else 'table' end, c.oid::regclass::text
       from own c where c.relkind <> 'c' and obj_description(c.oid, 'pg_class') is null
     union all
     select 'column', format('%s.%I', c.oid::regclass, a.attname)
       from own c join pg_attribute a on a.attrelid = c.oid
      where c.relkind in ('r', 'p', 'v', 'm', 'c', 'f') and a.attnum > 0 and not a.attisdropped and col_description(c.oid, a.attnum) is null
     union all
     select 'type', t.oid::regtype::text from pg_type t left join pg_class c on c.oid = t.typrelid
      where t.typnamespace = 'daybook'::regnamespace and t.typcategory <> 'A' and (c.oid is null or c.relkind = 'c') and obj_description(t.oid, 'pg_type') is null
     union all
     select 'trigger', format('%I on %s', g.tgname, c.oid::regclass)
       from own c join pg_trigger g on g.tgrelid = c.oid where not g.tgisinternal and obj_description(g.oid, 'pg_trigger') is null
     union all
     select 'policy', format('%I on %s', p.polname, c.oid::regclass)
       from own c join pg_policy p on p.polrelid = c.oid where obj_description(p.oid, 'pg_policy') is null
     order by 1, 2`,
  );
  t.same(
    missing.map((m) => `${m.kind} ${m.name}`),
    [],
  );
});
