create or replace function daybook._same_projection(there daybook.projection_versions, wanted daybook.projection_versions, consumer daybook.consumers) returns boolean
language plpgsql volatile
as $$
declare
  _was daybook.consumers;
  _differences text[];
begin
  select k.* into _was from daybook.consumers k where k.kind = 'projection' and k.name = there.consumer;
  _differences := array(
    select d.what
      from (values
        (1, 'apply', there.apply, wanted.apply),
        (2, 'the text of its apply function', there.source, wanted.source),
        (3, 'tables', there.tables::text, wanted.tables::text),
        (4, 'mode', there.mode, wanted.mode),
        (5, 'types', _was.types::text, consumer.types::text),
        (6, 'categories', _was.categories::text, consumer.categories::text),
        (7, 'setup', there.setup, wanted.setup),
        (8, 'schema', there.view_schema, wanted.view_schema),
        (9, 'serialize', there.serialize::text, wanted.serialize::text),
        (10, 'tenant_id', _was.tenant_id, consumer.tenant_id),
        (11, 'revision', there.revision::text, wanted.revision::text)
      ) d (place, what, is_there, is_wanted)
     where d.is_there is distinct from d.is_wanted
     order by d.place);
  if cardinality(_differences) > 0 then
    raise exception using
      errcode = 'YD603',
      message = format('projection %s is there, and is another one: %s', quote_literal(wanted.name), array_to_string(_differences, ', ')),
      detail = jsonb_build_object('projection', wanted.name, 'revision', there.revision, 'differences', _differences),
      hint = format('select daybook.replace_projection(%L, …) builds the new version beside it; schema and tenant_id change only by dropping it.', wanted.name);
  end if;

  update daybook.consumers k
     set on_failure = consumer.on_failure, max_attempts = consumer.max_attempts, base_delay = consumer.base_delay, max_delay = consumer.max_delay,
         changed_at = now()
   where k.kind = 'projection' and k.implementation = there.name
     and (k.on_failure, k.max_attempts, k.base_delay, k.max_delay)
         is distinct from (consumer.on_failure, consumer.max_attempts, consumer.base_delay, consumer.max_delay);
  return false;
end
$$;

comment on function daybook._same_projection(daybook.projection_versions, daybook.projection_versions, daybook.consumers) is
  'For create_projection where there is one of that name: false if it is the same, how it fails brought up to date. Raises YD603.';
