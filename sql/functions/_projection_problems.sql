create or replace function daybook._projection_problems(version daybook.projection_versions, consumer daybook.consumers) returns text[]
language sql stable
as $$
  select array(
    select p.problem
      from (values
        (1, 'it is named by 1 to 40 lower-case letters, digits, _ and -, a letter first', coalesce((version).name, '') ~ '^[a-z][a-z0-9_-]{0,39}$'),
        (2, 'mode is inline or async', coalesce((version).mode in ('inline', 'async'), false)),
        (3, 'code in TypeScript cannot run inline: name an apply function', (version).apply is not null or (version).mode = 'async'),
        (4, 'serialize is true or false, and for inline projections', (version).serialize is not null and (not (version).serialize or (version).mode = 'inline')),
        (5, 'revision is a whole number from 0', coalesce((version).revision >= 0, false)),
        (6, 'tables are an object of at least one table (of none, where code in TypeScript writes elsewhere): name and columns, both text, the name at most 63 bytes',
         case when jsonb_typeof((version).tables) = 'object' then
           (select (count(*) > 0 or (version).apply is null) and coalesce(bool_and(octet_length(t.key) between 1 and 63 and jsonb_typeof(t.value) = 'string'), true) from jsonb_each((version).tables) t)
         else false end)
      ) p (place, problem, is_fine)
     where not coalesce(p.is_fine, false)
     order by p.place)
    || array(select p from unnest(daybook._consumer_problems(consumer)) p)
    || array(
    select format('daybook_projector may not make views in schema %s: grant usage, create on schema %1$I to daybook_projector', s.name)
      from (select coalesce((version).view_schema, '') as name) s
     where not coalesce(has_schema_privilege('daybook_projector', to_regnamespace(quote_ident(s.name)), 'usage'), false)
        or not has_schema_privilege('daybook_projector', to_regnamespace(quote_ident(s.name)), 'create'))
$$;

comment on function daybook._projection_problems(daybook.projection_versions, daybook.consumers) is
  'What is wrong with the definition of a projection, in words; an empty array if nothing. Its apply function is looked at by _apply_function.';
