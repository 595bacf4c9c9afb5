create or replace function daybook._consumer_problems(consumer daybook.consumers) returns text[]
language sql immutable
as $$
  select array(
    select p.problem
      from (values
        (1, 'it is named by 1 to 255 characters, none of them a control character',
         coalesce(length(consumer.name) between 1 and 255 and consumer.name !~ '[[:cntrl:]]', false)),
        (2, 'types are an array of 1 to 1000 names of 1 to 255 characters, or null for all', daybook._are_names(consumer.types)),
        (3, 'categories are an array of 1 to 1000 names of 1 to 255 characters, or null for all', daybook._are_names(consumer.categories)),
        (4, 'shards are 1 to 128', coalesce(consumer.wanted_shards between 1 and 128, false)),
        (5, 'on_failure is halt, park or skip', coalesce(consumer.on_failure in ('halt', 'park', 'skip'), false)),
        (6, 'max_attempts is 1 to 1000', coalesce(consumer.max_attempts between 1 and 1000, false)),
        (7, 'base_delay is more than nothing, and at most max_delay',
         coalesce(consumer.base_delay > interval '0' and consumer.base_delay <= consumer.max_delay, false)),
        (8, 'max_delay is at most 365 days', coalesce(consumer.max_delay <= interval '365 days', false))
      ) p (place, problem, is_fine)
     where not p.is_fine
     order by p.place)
$$;

comment on function daybook._consumer_problems(daybook.consumers) is 'What is wrong with the definition of a handler or route, in words; an empty array if nothing.';
