-- Rows that are written behind a snapshot are not in it, so a snapshot that is older than a version is told to begin again.
-- Replaced in place wherever its columns stay; else dropped (nothing rests on it then) and made anew with its rights and comments.
create or replace function daybook._make_view(version daybook.projection_versions, "table" text) returns void
language plpgsql volatile
as $$
declare
  _view text := format('%I.%I', version.view_schema, "table");
  _table regclass := format('%I.%I', version.schema_name, "table")::regclass;
  _was regclass := to_regclass(_view);
  _rest text[];
  _statement text;
begin
  if _was is not null and not daybook._fits_view(_was, _table) then
    _rest := array(
      select format('grant %s on %s to %s%s', g.privilege_type, _view, case g.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end,
                    case when g.is_grantable then ' with grant option' end)
        from pg_class c cross join aclexplode(c.relacl) g
       where c.oid = _was and g.grantee <> c.relowner
      union all
      select format('grant %s (%I) on %s to %s', g.privilege_type, a.attname, _view, case g.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end)
        from pg_attribute a cross join aclexplode(a.attacl) g
       where a.attrelid = _was and exists (select from pg_attribute t where t.attrelid = _table and t.attname = a.attname and not t.attisdropped)
      union all
      select format('comment on view %s is %L', _view, obj_description(_was, 'pg_class')) where obj_description(_was, 'pg_class') is not null
      union all
      select format('comment on column %s.%I is %L', _view, a.attname, col_description(_was, a.attnum))
        from pg_attribute a
       where a.attrelid = _was and col_description(_was, a.attnum) is not null
         and exists (select from pg_attribute t where t.attrelid = _table and t.attname = a.attname and not t.attisdropped));
    perform daybook._as_projector(format('drop view %s', _view));
  elsif _was is null then
    _rest := array[
      format('grant select on %s to daybook_reader', _view),
      format('comment on view %s is %L', _view, coalesce(obj_description(_table, 'pg_class'), format('Of projection %s.', version.name)))];
  end if;

  perform daybook._as_projector((
    select format('create or replace view %s with (security_barrier = %s) as select %s from %s t where (current_setting(''transaction_isolation'') = ''read committed'' or daybook.sees_version(%L, %s))',
             _view, bool_or(a.attname = 'tenant_id'), string_agg(format('t.%I', a.attname), ', ' order by a.attnum), _table, version.name, version.version)
        || coalesce(' and ((select daybook.visible_tenants()) is null or t.tenant_id'
             || min(case when a.atttypid in ('text'::regtype, 'varchar'::regtype) then '' else '::text' end) filter (where a.attname = 'tenant_id')
             || ' = any ((select daybook.visible_tenants())::text[]))', '')
      from pg_attribute a
     where a.attrelid = _table and a.attnum > 0 and not a.attisdropped));
  foreach _statement in array coalesce(_rest, '{}') loop
    perform daybook._as_projector(_statement);
  end loop;
  for _statement in
    select format('comment on column %s.%I is %L', _view, v.attname, col_description(_table, a.attnum))
      from pg_attribute v
      join pg_attribute a on a.attrelid = _table and a.attname = v.attname and a.attnum > 0 and not a.attisdropped
     where v.attrelid = _view::regclass and v.attnum > 0 and col_description(v.attrelid, v.attnum) is null and col_description(_table, a.attnum) is not null
  loop
    perform daybook._as_projector(_statement);
  end loop;
end
$$;

comment on function daybook._make_view(daybook.projection_versions, text) is
  'Has the view of a table show the one of a version: its name, rights, comments and what rests on it stay. Where the table has a column tenant_id it shows the tenants that whoever asks may see; rows that belong to none, only to those who may see all.';
