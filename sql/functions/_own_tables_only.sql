create or replace function daybook._own_tables_only(projection text, error jsonb) returns jsonb
language sql immutable
as $$
  select case when error ->> 'code' = '42501' then error || jsonb_build_object(
    'code', 'YD608',
    'message', format('projection %s reached for what it did not declare: %s', quote_ident(_own_tables_only.projection), error ->> 'message'),
    'hint', 'It runs as daybook_projector, and writes its own tables alone. Declare the table; or grant daybook_projector what it needs beside: select on a table to be read, usage on its schema, execute on a function.')
  else error end
$$;

comment on function daybook._own_tables_only(text, jsonb) is 'A failure for want of a right, put as what it is: the projection reached for a table that is not its own.';
