create or replace function daybook.ensure_partitions(months_ahead integer default null) returns setof text
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _month timestamptz := date_trunc('month', clock_timestamp(), 'UTC');
  _ahead integer := coalesce(months_ahead, (select c.partitions_ahead from daybook.settings c));
  _name text;
begin
  if _ahead not between 0 and 120 then
    raise exception using
      errcode = 'YD108',
      message = 'partitions are made 0 to 120 months ahead',
      detail = jsonb_build_object('argument', 'months_ahead', 'value', months_ahead),
      hint = 'Leave months_ahead out: settings.partitions_ahead holds.';
  end if;

  for _step in 0 .. _ahead loop
    _name := daybook._make_partition((_month at time zone 'UTC' + _step * interval '1 month') at time zone 'UTC');
    if _name is not null then
      return next _name;
    end if;
  end loop;
end
$$;

comment on function daybook.ensure_partitions(integer) is
  'Makes the partitions of this month and of the months ahead (settings.partitions_ahead where none is given) that are missing; returns the names of those it made.';
