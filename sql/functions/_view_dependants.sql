create or replace function daybook._view_dependants(view regclass) returns text[]
language sql stable
as $$
  select array(
    select distinct coalesce(
             (select case c.relkind when 'm' then 'materialized view ' else 'view ' end || c.oid::regclass::text
                from pg_rewrite w join pg_class c on c.oid = w.ev_class
               where d.classid = 'pg_rewrite'::regclass and w.oid = d.objid),
             pg_describe_object(d.classid, d.objid, d.objsubid))
      from pg_depend d
     where (d.refclassid = 'pg_class'::regclass and d.refobjid = _view_dependants.view
            or d.refclassid = 'pg_type'::regclass and d.refobjid = (select c.reltype from pg_class c where c.oid = _view_dependants.view))
       and not (d.classid = 'pg_rewrite'::regclass and (select w.ev_class from pg_rewrite w where w.oid = d.objid) = _view_dependants.view)
       and not (d.classid = 'pg_type'::regclass and d.deptype = 'i')
     order by 1)
$$;

comment on function daybook._view_dependants(regclass) is 'What rests on a view, in words: other views, functions, triggers.';
