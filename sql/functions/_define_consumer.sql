create or replace function daybook._define_consumer(consumer daybook.consumers) returns daybook.consumers
language plpgsql immutable
as $$
begin
  consumer.kind := 'projection';
  consumer.implementation := consumer.name;
  consumer.shard_count := 1;
  consumer.wanted_shards := 1;
  consumer.types := (select array_agg(distinct w.name order by w.name) from unnest(consumer.types) w(name));
  consumer.categories := (select array_agg(distinct w.name order by w.name) from unnest(consumer.categories) w(name));
  return consumer;
end
$$;

comment on function daybook._define_consumer(daybook.consumers) is 'The consumer of a projection, with what is the same for all of them; an empty list of types or categories is none.';
