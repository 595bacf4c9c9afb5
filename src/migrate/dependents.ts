import type { Db } from "../db.ts";

const schemas = ["daybook", "daybook_doors", "daybook_technical"];

/** The schemas of this database that are Daybook's: its own, and those of projections, which are daybook_projector's. */
export async function ownSchemas(db: Db): Promise<string[]> {
  const found = await db.query<{ name: string }>(
    `select n.nspname as name from pg_namespace n join pg_roles r on r.oid = n.nspowner
      where n.nspname = any ($1::text[]) or r.rolname = 'daybook_projector'
      order by 1`,
    [schemas],
  );
  return found.map(({ name }) => name);
}

/**
 * Descriptions of what rests on Daybook's objects and is not in its schemas: a view over its views, a foreign key, a
 * column of one of its types, a publication of its tables. Dropping the schemas with CASCADE would take it along.
 */
export async function outsideDependents(db: Db, own: readonly string[]): Promise<string[]> {
  const found = await db.query<{ description: string }>(
    `with recursive reached (classid, objid, objsubid) as (
       select 'pg_namespace'::regclass::oid, n.oid, 0 from pg_namespace n where n.nspname = any ($1::text[])
       union
       select d.classid, d.objid, d.objsubid
         from reached r
         join pg_depend d on d.refclassid = r.classid and d.refobjid = r.objid and r.objsubid in (0, d.refobjsubid)
     ), homed as (
       select r.*,
              case r.classid
                when 'pg_namespace'::regclass then r.objid
                when 'pg_class'::regclass then (select c.relnamespace from pg_class c where c.oid = r.objid)
                when 'pg_proc'::regclass then (select p.pronamespace from pg_proc p where p.oid = r.objid)
                when 'pg_type'::regclass then (select t.typnamespace from pg_type t where t.oid = r.objid)
                when 'pg_constraint'::regclass then (select c.connamespace from pg_constraint c where c.oid = r.objid)
                when 'pg_default_acl'::regclass then (select a.defaclnamespace from pg_default_acl a where a.oid = r.objid)
                when 'pg_rewrite'::regclass then
                  (select c.relnamespace from pg_rewrite w join pg_class c on c.oid = w.ev_class where w.oid = r.objid)
                when 'pg_attrdef'::regclass then
                  (select c.relnamespace from pg_attrdef a join pg_class c on c.oid = a.adrelid where a.oid = r.objid)
                when 'pg_trigger'::regclass then
                  (select c.relnamespace from pg_trigger t join pg_class c on c.oid = t.tgrelid where t.oid = r.objid)
                when 'pg_policy'::regclass then
                  (select c.relnamespace from pg_policy p join pg_class c on c.oid = p.polrelid where p.oid = r.objid)
              end as home
         from reached r
     )
     select distinct pg_describe_object(h.classid, h.objid, h.objsubid) as description
       from homed h
      where coalesce(h.home not in (select n.oid from pg_namespace n where n.nspname = any ($1::text[] || 'pg_toast'::text)), true)
      order by 1`,
    [own],
  );
  return found.map((row) => row.description);
}
