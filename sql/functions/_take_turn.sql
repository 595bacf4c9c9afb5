-- An older snapshot sees neither the version as it is now nor its rows: it must begin again, as with any row that has been
-- changed since. Turns are a row that is written and not an advisory lock, for the same reason.
create or replace function daybook._take_turn(name text, since bigint, serialize boolean) returns boolean
language plpgsql volatile
as $$
begin
  if _take_turn.serialize then
    update daybook.inline_projections p set turns = p.turns + 1 where p.name = _take_turn.name and p.since = _take_turn.since;
    if found then
      return true;
    end if;
  elsif exists (select from daybook.inline_projections p where p.name = _take_turn.name and p.since = _take_turn.since) then
    return true;
  end if;
  raise exception using
    errcode = '40001',
    message = format('projection %s has other rows since this transaction began', quote_ident(_take_turn.name)),
    hint = 'Do the transaction again.';
end
$$;

comment on function daybook._take_turn(text, bigint, boolean) is
  'Before events are applied in an append: waits for its turn where appends take turns, and refuses a transaction of an older snapshot than the version (40001). Always true.';
