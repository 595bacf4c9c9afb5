create or replace function daybook.create_last_events(
  name text default 'last_events',
  mode text default 'async',
  types text[] default null,
  categories text[] default null,
  schema text default 'daybook_projections'
) returns boolean
language plpgsql volatile
as $$
begin
  return daybook.create_projection(
    name => create_last_events.name, apply => 'daybook.apply_last_events', mode => create_last_events.mode,
    types => create_last_events.types, categories => create_last_events.categories, schema => create_last_events.schema,
    tables => jsonb_build_object('last_events', '
      tenant_id text collate "C", stream_id text collate "C", category text collate "C" not null, version bigint not null, position bigint not null,
      event_id uuid not null, type text collate "C" not null, data jsonb not null, metadata jsonb not null, correlation_id uuid,
      occurred_at timestamptz not null, recorded_at timestamptz not null,
      constraint last_events_pkey primary key (tenant_id, stream_id)'),
    setup => 'create index on last_events (category, recorded_at)');
end
$$;

comment on function daybook.create_last_events(text, text, text[], text[], text) is
  'Makes a projection with the last event of each stream (of the types it is given): select * from daybook_projections.last_events. As create_projection does.';
