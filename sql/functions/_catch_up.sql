create or replace function daybook._catch_up(version daybook.projection_versions, consumer daybook.consumers, after_position bigint, through bigint) returns integer
language plpgsql volatile
as $$
declare
  _position bigint := after_position;
  _batch record;
  _events daybook.event[];
  _applied record;
  _count integer := 0;
begin
  while _position < through loop
    _batch := daybook._next_batch(consumer, _position, through, 1000);
    _events := _batch.events;
    if cardinality(_events) > 0 then
      _applied := daybook._apply_some(version, _events);
      if _applied.error is not null then
        return null;
      end if;
      _count := _count + _applied.done;
    end if;
    _position := case when cardinality(_events) < _batch.asked then through else _events[_batch.asked]."position" end;
  end loop;
  return _count;
end
$$;

comment on function daybook._catch_up(daybook.projection_versions, daybook.consumers, bigint, bigint) is
  'Gives a version all that it follows up to a position, below which nothing is in flight. Returns how many events; null where one failed: the ordinary way sees to that.';
