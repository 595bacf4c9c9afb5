-- The row of the consumer first: whoever makes the same one at the same moment waits for it, and then finds it there.
create or replace function daybook._create_consumer(definition daybook.consumers, start_from text) returns boolean
language plpgsql volatile
as $$
declare
  _problems text[] := daybook._consumer_problems(definition);
  _there daybook.consumers;
begin
  if cardinality(_problems) > 0 then
    perform daybook._invalid_consumer(definition.kind, definition.name, _problems);
  end if;

  insert into daybook.consumers (
    kind, name, implementation, tenant_id, types, categories, shard_count, wanted_shards, on_failure, max_attempts, base_delay, max_delay)
  select definition.kind, definition.name, definition.implementation, definition.tenant_id, definition.types, definition.categories,
         definition.wanted_shards, definition.wanted_shards, definition.on_failure, definition.max_attempts, definition.base_delay, definition.max_delay
      on conflict on constraint consumers_pkey do nothing;
  if found then
    insert into daybook.cursors (kind, name, shard, position)
    select definition.kind, definition.name, s, p.position
      from daybook._start_position(start_from) p (position), generate_series(0, definition.wanted_shards - 1) s;
    perform daybook._audit('create_' || definition.kind, definition.kind || ' ' || definition.name, jsonb_build_object('start_from', start_from));
    return true;
  end if;

  perform daybook._start_position(case when start_from = 'now' then 'start' else start_from end);
  select k.* into _there from daybook.consumers k where k.kind = definition.kind and k.name = definition.name for update;
  if _there.implementation <> definition.implementation then
    perform daybook._invalid_consumer(definition.kind, definition.name, array[format('it is there as a replay of %s', quote_literal(_there.implementation))]);
  elsif _there.tenant_id is distinct from definition.tenant_id then
    perform daybook._invalid_consumer(definition.kind, definition.name, array[format(
      'it is there and follows %s, and its position says nothing of others', coalesce('tenant ' || quote_literal(_there.tenant_id), 'every tenant'))]);
  end if;

  update daybook.consumers k
     set types = definition.types, categories = definition.categories, on_failure = definition.on_failure, max_attempts = definition.max_attempts,
         base_delay = definition.base_delay, max_delay = definition.max_delay, changed_at = now(),
         wanted_shards = case when k.name = definition.name then definition.wanted_shards else k.wanted_shards end
   where k.kind = definition.kind and k.implementation = definition.implementation
     and (k.types, k.categories, k.on_failure, k.max_attempts, k.base_delay, k.max_delay,
          case when k.name = definition.name then k.wanted_shards end)
         is distinct from
         (definition.types, definition.categories, definition.on_failure, definition.max_attempts, definition.base_delay, definition.max_delay,
          case when k.name = definition.name then definition.wanted_shards end);
  if found then
    perform daybook._audit('create_' || definition.kind, definition.kind || ' ' || definition.name, to_jsonb(definition) - '{kind,name}'::text[]);
  end if;
  return false;
end
$$;

comment on function daybook._create_consumer(daybook.consumers, text) is
  'Makes a handler or route with its cursors, or brings the definition of one that is there (and of its replays) up to date, never its position. Returns whether it was made. Raises YD502.';
