create or replace function daybook.create_handler(
  name text,
  types text[] default null,
  categories text[] default null,
  start_from text default 'start',
  shards integer default 1,
  on_failure text default 'park',
  max_attempts integer default 5,
  base_delay interval default '1 second',
  max_delay interval default '5 minutes',
  tenant_id text default null
) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _definition daybook.consumers;
begin
  _definition.kind := 'handler';
  _definition.name := create_handler.name;
  _definition.implementation := create_handler.name;
  _definition.types := create_handler.types;
  _definition.categories := create_handler.categories;
  _definition.wanted_shards := shards;
  _definition.on_failure := create_handler.on_failure;
  _definition.max_attempts := create_handler.max_attempts;
  _definition.base_delay := create_handler.base_delay;
  _definition.max_delay := create_handler.max_delay;
  if create_handler.tenant_id is not null then
    _definition.tenant_id := daybook._tenant(create_handler.tenant_id);
  end if;
  return daybook._create_consumer(_definition, start_from);
end
$$;

comment on function daybook.create_handler(text, text[], text[], text, integer, text, integer, interval, interval, text) is
  'Makes a handler that follows the log from start_from (start, now, the position behind which to start, or a moment), or brings the definition of one that is there up to date; its position stays, and its shards change once all have come to one position. types, categories: null = all. on_failure: halt, park or skip. tenant_id: null = every tenant. Returns whether it was made. Raises YD502.';
