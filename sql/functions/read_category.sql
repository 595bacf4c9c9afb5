create or replace function daybook.read_category(
  category text,
  after_position bigint default 0,
  max_count integer default 1000,
  tenant_id text default null
) returns setof daybook.event
language sql volatile
as $$
  select e.* from daybook.read_all(
    after_position => read_category.after_position, max_count => read_category.max_count,
    categories => array[read_category.category], tenant_id => read_category.tenant_id) e
$$;

comment on function daybook.read_category(text, bigint, integer, text) is 'Events of one category in order of position, behind a position and never past the horizon.';
