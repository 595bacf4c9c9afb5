-- One query, inlined into the one that appends them.
create or replace function daybook._batch_events(appends jsonb, tenant_id text, tenants text[])
returns table (i integer, tenant_id text, stream_id text, expected bigint, value jsonb, place bigint, total bigint, is_fit boolean)
language sql immutable
as $$
  select g.i, g.tenant_id, g.stream_id, g.expected::bigint, g.value,
         row_number() over (partition by g.tenant_id, g.stream_id order by g.i, g.n),
         count(*) over stream,
         bool_and(g.is_fit) over stream and (count(g.expected) over stream = 0 or min(g.i) over stream = max(g.i) over stream)
    from (select a.ordinality::integer - 1 as i, coalesce(a.value ->> 'tenant_id', _batch_events.tenant_id) collate "C" as tenant_id,
                 a.value ->> 'stream_id' collate "C" as stream_id, a.value ->> 'expected_version' as expected, e.ordinality as n, e.value,
                 e.value is not null
                   and daybook._event_problem(e.value) is null
                   and pg_column_size(e.value) <= daybook._max_event_bytes()
                   and (a.value ->> 'tenant_id' is null or daybook._is_tenant(a.value ->> 'tenant_id', tenants))
                   and (e.ordinality <> 2 or not daybook._repeats_event_id(a.value -> 'events')) as is_fit
            from jsonb_array_elements(appends) with ordinality a
            left join lateral jsonb_array_elements(case when daybook._is_ordinary_entry(a.value) then a.value -> 'events' end) with ordinality e on true) g
  window stream as (partition by g.tenant_id, g.stream_id)
$$;

comment on function daybook._batch_events(jsonb, text, text[]) is
  'The events of a batch, one row each (an entry that is not ordinary: one row without event). place: from 1, within all that the batch has for its stream; total: how many these are; is_fit: all of the stream can go together, as each stream stands in one entry, or in several that all take any version, and nothing is wrong with them.';
