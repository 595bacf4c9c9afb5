create or replace function daybook._are_names(names text[]) returns boolean
language sql immutable
as $$
  select names is null or (
    coalesce(array_ndims(names) = 1, false) and cardinality(names) between 1 and 1000
    and not exists (select from unnest(names) n (name) where n.name is null or length(n.name) not between 1 and 255))
$$;

comment on function daybook._are_names(text[]) is 'Whether this can be the types or categories that a consumer follows; null = all.';
