-- A position is moved with the rows it stands for: rows that go without it, or that are refused behind it, would leave the
-- two apart for good.
create or replace function daybook._table_problems(version daybook.projection_versions) returns text[]
language sql stable
as $$
  select array(
    select format('table %I is gone once its setup has run', t.name)
      from jsonb_object_keys((version).tables) t (name)
     where to_regclass(format('%I.%I', (version).schema_name, t.name)) is null
     order by t.name collate "C")
    || array(
    select format('table %I is unlogged: a crash would empty it, and leave the position where it is', c.relname)
      from pg_class c
     where c.relnamespace = to_regnamespace(quote_ident((version).schema_name)) and c.relkind in ('r', 'p') and c.relpersistence = 'u'
     order by c.relname)
    || array(
    select format('constraint %I is deferred to the end of the transaction, where nobody can tell any more which event it fails on: make it initially immediate', c.conname)
      from pg_constraint c
     where c.connamespace = to_regnamespace(quote_ident((version).schema_name)) and c.condeferred and c.conparentid = 0
     order by c.conname)
$$;

comment on function daybook._table_problems(daybook.projection_versions) is
  'What is wrong with the tables of a version as its definition has made them, in words; an empty array if nothing.';
