create or replace function daybook._begin_version(version daybook.projection_versions, consumer daybook.consumers) returns void
language plpgsql volatile
as $$
declare
  _taken text;
begin
  select format('%I.%I', version.view_schema, t) into _taken
    from jsonb_object_keys(version.tables) t
   where to_regclass(format('%I.%I', version.view_schema, t)) is not null
     and not exists (
       select from daybook.projection_versions v
        where v.name = version.name and v.stage = 'live' and v.view_schema = version.view_schema and v.tables ? t)
   limit 1;
  if _taken is not null then
    perform daybook._invalid_projection(version.name, array[format('%s is there already, and is not its view', _taken)]);
  end if;

  insert into daybook.projection_versions (
    name, version, consumer, stage, mode, serialize, apply, takes, source, revision, tables, setup, schema_name, view_schema, start_position,
    begun_position, live_at)
  values (
    version.name, version.version, version.consumer, version.stage, version.mode, version.serialize, version.apply, version.takes, version.source,
    version.revision, version.tables, version.setup, version.schema_name, version.view_schema, version.start_position,
    coalesce(pg_sequence_last_value('daybook.positions'::regclass), 0), case version.stage when 'live' then clock_timestamp() end);
  insert into daybook.consumers (
    kind, name, implementation, tenant_id, types, categories, on_failure, max_attempts, base_delay, max_delay)
  values ('projection', version.consumer, version.name, consumer.tenant_id, consumer.types, consumer.categories,
    consumer.on_failure, consumer.max_attempts, consumer.base_delay, consumer.max_delay);
  insert into daybook.cursors (kind, name, shard, position) values ('projection', version.consumer, 0, version.start_position);
  perform daybook._make_version(version);
end
$$;

comment on function daybook._begin_version(daybook.projection_versions, daybook.consumers) is 'Makes a version of a projection: its row, its consumer and its tables. Raises YD602.';
