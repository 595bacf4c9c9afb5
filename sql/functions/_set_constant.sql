create or replace function daybook._set_constant(name text, type text, value text) returns void
language plpgsql volatile
as $$
begin
  execute format('create or replace function daybook.%I() returns %s language sql immutable parallel safe return %L::%s', name, type, value, type);
end
$$;

comment on function daybook._set_constant(text, text, text) is 'Makes a constant function anew; plans that have folded it in are made anew with it.';
