create or replace function daybook.create_event_counts(
  name text default 'event_counts',
  mode text default 'async',
  types text[] default null,
  categories text[] default null,
  schema text default 'daybook_projections'
) returns boolean
language plpgsql volatile
as $$
begin
  return daybook.create_projection(
    name => create_event_counts.name, apply => 'daybook.apply_event_counts', mode => create_event_counts.mode,
    types => create_event_counts.types, categories => create_event_counts.categories, schema => create_event_counts.schema,
    tables => jsonb_build_object('event_counts', '
      tenant_id text collate "C", category text collate "C", type text collate "C", day date, events bigint not null,
      first_position bigint not null, last_position bigint not null,
      constraint event_counts_pkey primary key (tenant_id, category, type, day)'),
    setup => 'create index on event_counts (day)');
end
$$;

comment on function daybook.create_event_counts(text, text, text[], text[], text) is
  'Makes a projection that counts events by tenant, category, type and day (of recorded_at, in UTC): select * from daybook_projections.event_counts. As create_projection does.';
