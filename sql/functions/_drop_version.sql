-- What others have built right on the tables of a version is not swept away with it: 2BP01 says what it is.
create or replace function daybook._drop_version(schema_name text) returns void
language plpgsql volatile
set client_min_messages = warning
as $$
declare
  _tables text := (
    select string_agg(format('%I.%I', _drop_version.schema_name, c.relname), ', ')
      from pg_class c
     where c.relnamespace = to_regnamespace(quote_ident(_drop_version.schema_name)) and c.relkind in ('r', 'p'));
begin
  if _tables is not null then
    perform daybook._as_projector('drop table ' || _tables);
  end if;
  execute format('drop function if exists daybook_doors.%1$I(daybook.event[]), daybook_doors.%1$I(daybook.event)', _drop_version.schema_name);
  execute format('drop schema if exists %I cascade', _drop_version.schema_name);
end
$$;

comment on function daybook._drop_version(text) is 'Drops the schema of a version with its tables. Raises 2BP01 where something outside of it rests on them.';
