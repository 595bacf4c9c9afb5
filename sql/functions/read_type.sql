create or replace function daybook.read_type(
  type text,
  since timestamptz default '-infinity',
  after_position bigint default 0,
  max_count integer default 1000,
  tenant_id text default null
) returns setof daybook.event
language plpgsql volatile
as $$
declare
  _tenant text := daybook._tenant(read_type.tenant_id);
  _horizon bigint := daybook.horizon();
begin
  perform daybook._check_count(max_count, after_position);
  return query
    select e.* from daybook._read_filtered(
      after_position, max_count, array[read_type.type], null, array[_tenant], _horizon,
      greatest(since, daybook._read_from(after_position))) e;
end
$$;

comment on function daybook.read_type(text, timestamptz, bigint, integer, text) is 'Events of one type recorded since a moment, in order of position, behind a position (for the next page) and never past the horizon.';
