-- An array takes a gigabyte at the most, and a backend what the machine has: of large events fewer are taken at a time.
create or replace function daybook._next_batch(
  consumer daybook.consumers,
  "position" bigint,
  horizon bigint,
  max_count integer,
  out events daybook.event[],
  out asked integer
) returns record
language plpgsql volatile
as $$
begin
  asked := max_count;
  loop
    begin
      events := daybook._next_events(consumer, "position", horizon, asked);
      return;
    exception when program_limit_exceeded or out_of_memory then
      if asked = 1 then
        raise;
      end if;
      asked := asked / 2;
    end;
  end loop;
end
$$;

comment on function daybook._next_batch(daybook.consumers, bigint, bigint, integer) is
  'What _next_events gives, and for how many it was asked: half as many, and so on, where those do not fit into memory. Fewer events than asked for: there are no more up to the horizon.';
