create or replace function daybook.create_audit_trail(
  name text default 'audit_trail',
  mode text default 'async',
  types text[] default null,
  categories text[] default null,
  schema text default 'daybook_projections'
) returns boolean
language plpgsql volatile
as $$
begin
  return daybook.create_projection(
    name => create_audit_trail.name, apply => 'daybook.apply_audit_trail', mode => create_audit_trail.mode,
    types => create_audit_trail.types, categories => create_audit_trail.categories, schema => create_audit_trail.schema,
    tables => jsonb_build_object('audit_trail', '
      tenant_id text collate "C", position bigint, event_id uuid not null, occurred_at timestamptz not null, recorded_at timestamptz not null,
      actor text, action text collate "C" not null, entity_type text collate "C" not null, entity_id text collate "C",
      stream_id text collate "C" not null, version bigint not null, correlation_id uuid, causation_id uuid, details jsonb not null, metadata jsonb not null,
      constraint audit_trail_pkey primary key (tenant_id, position)'),
    setup => '
      create index on audit_trail (tenant_id, actor, position);
      create index on audit_trail (tenant_id, entity_type, entity_id, position);
      create index on audit_trail (recorded_at)');
end
$$;

comment on function daybook.create_audit_trail(text, text, text[], text[], text) is
  'Makes a projection that says of every event who (actor: actor, user_id or userId of its metadata), what (action), when, to what (entity_type and entity_id: the two parts of the stream''s name), with its data as details: select * from daybook_projections.audit_trail. As create_projection does.';
