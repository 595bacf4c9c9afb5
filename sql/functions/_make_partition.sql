create or replace function daybook._make_partition(month timestamptz) returns text
language plpgsql volatile
set datestyle = 'ISO'
as $$
declare
  _name text := 'event_log_' || to_char(month at time zone 'UTC', 'YYYY_MM');
  _next timestamptz := (month at time zone 'UTC' + interval '1 month') at time zone 'UTC';
  _from timestamptz;
  _until timestamptz;
begin
  perform pg_advisory_xact_lock(1145196364, 0);
  insert into daybook.event_partitions (partition_name, range_from, range_to) values (_name, month, _next) on conflict do nothing;
  if not found then
    return null;
  end if;

  -- made apart and attached: that stops no append, CREATE … PARTITION OF would
  execute format('create table daybook.%I (like daybook.event_log including all)', _name);
  execute format('comment on table daybook.%I is %L', _name, 'Events recorded in ' || to_char(month at time zone 'UTC', 'YYYY-MM') || ' (UTC).');
  -- nobody is to read it past the log; should a default privilege let a role, there is no policy that does
  execute format('alter table daybook.%I enable row level security', _name);
  perform daybook._protect_events(format('daybook.%I', _name)::regclass);
  execute format('alter table daybook.event_log attach partition daybook.%I for values from (%L) to (%L)', _name, month, _next);

  with recursive reach (until) as (
    select min(p.range_from) from daybook.event_partitions p where p.range_to > now()
    union all
    select p.range_to from daybook.event_partitions p join reach r on p.range_from = r.until)
  select max(r.until) into _until from reach r;
  -- never back: a transaction with an old snapshot does not see what has been sealed since
  select greatest(
           coalesce(max(p.range_to), (select min(q.range_from) from daybook.event_partitions q)),
           nullif(daybook._writable_from(), 'infinity'))
    into _from
    from daybook.event_partitions p where p.last_position is not null or p.waiting_for is not null;
  perform daybook._set_constant('_writable_from', 'timestamptz', _from::text);
  perform daybook._set_constant('_writable_until', 'timestamptz', _until::text);
  return _name;
end
$$;

comment on function daybook._make_partition(timestamptz) is 'Makes the partition of one month and returns its name, null if it is there already.';
