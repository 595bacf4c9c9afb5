-- Consumer by consumer, each with all of its cursors locked: nobody drains or un-parks meanwhile. What was found before is
-- looked at again then.
create or replace function daybook._settle_dead_letters(found_before daybook.dead_letters_log[], state text, reason text default null) returns bigint
language plpgsql volatile
as $$
declare
  _count bigint := 0;
  _consumer daybook.consumers;
  _one record;
  _parked daybook.parked_streams;
begin
  for _one in select distinct f.kind, f.name from unnest(found_before) f order by f.kind, f.name loop
    if _one.kind = 'route' then
      perform daybook._enter_route(_one.name, true);
    end if;
    _consumer := daybook._lock_consumer(_one.kind, _one.name);
    for _one in
      update daybook.dead_letters_log d
         set state = _settle_dead_letters.state, state_reason = coalesce(_settle_dead_letters.reason, d.state_reason), changed_at = now()
        from unnest(found_before) f
       where d.tenant_id = f.tenant_id and d.dead_letter = f.dead_letter and d.kind = _consumer.kind and d.name = _consumer.name
         and d.state in ('waiting', 'retrying')
      returning d.tenant_id, d.stream_id, d.position
    loop
      _count := _count + 1;
      select p.* into _parked
        from daybook.parked_streams p
       where p.tenant_id = _one.tenant_id and p.kind = _consumer.kind and p.name = _consumer.name
         and p.stream_id = _one.stream_id and p.position = _one.position
         for update;
      if not found then
        continue;
      elsif _settle_dead_letters.state = 'retrying' then
        update daybook.parked_streams p
           set attempts = 0, postponed = 0, retry_at = clock_timestamp(), waits_since = clock_timestamp()
         where p.tenant_id = _parked.tenant_id and p.kind = _parked.kind and p.name = _parked.name and p.stream_id = _parked.stream_id;
      else
        perform daybook._go_on_behind(_consumer, _parked, _parked.position);
      end if;
    end loop;
  end loop;
  return _count;
end
$$;

comment on function daybook._settle_dead_letters(daybook.dead_letters_log[], text, text) is
  'Has open dead letters tried again (retrying), or their streams go on behind them (discarded). Returns how many were open still.';
