-- The horizon is read in a statement of its own, before the rows.
create or replace function daybook._follows_nothing(projection text, after_position bigint, through bigint) returns boolean
language plpgsql volatile
as $$
begin
  if through - after_position > 10000 or daybook.horizon() < through then
    return false;
  end if;
  return not exists (
    select from daybook.event_log l
      join daybook.consumers k on k.kind = 'projection' and k.name = projection
     where l.position > after_position and l.position <= through and l.recorded_at >= daybook._read_from(after_position)
       and (k.types is null or l.type = any (k.types))
       and (k.categories is null or l.category = any (k.categories))
       and (k.tenant_id is null or l.tenant_id = k.tenant_id));
end
$$;

comment on function daybook._follows_nothing(text, bigint, bigint) is
  'Whether a projection that has come to one position follows none of the events up to another, and none is in flight: its rows are then those as of that one. False where they are more than 10,000 apart.';
