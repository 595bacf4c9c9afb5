create or replace function daybook.category_streams(
  category text,
  after_stream_id text default '',
  max_count integer default 1000,
  tenant_id text default null
) returns table (stream_id text, version bigint, first_recorded_at timestamptz, last_recorded_at timestamptz)
language plpgsql stable
as $$
declare
  _tenant text := daybook._tenant(category_streams.tenant_id);
begin
  perform daybook._check_count(max_count);
  return query
    select h.stream_id, h.version, h.first_recorded_at, h.last_recorded_at
      from daybook.stream_heads h
     where h.tenant_id = _tenant
       and (h.stream_id = category_streams.category
            or (h.stream_id >= category_streams.category || '-' and h.stream_id < category_streams.category || '.'))
       and h.stream_id > after_stream_id
       and h.version > 0
     order by h.stream_id
     limit max_count;
end
$$;

comment on function daybook.category_streams(text, text, integer, text) is 'Streams of a category in order of their names, behind a name (for the next page).';
