create or replace function daybook._lock_projection(projection text) returns void
language sql volatile
as $$
  select pg_advisory_xact_lock(1145196369, hashtext(_lock_projection.projection))
$$;

comment on function daybook._lock_projection(text) is 'Whoever makes, replaces or drops a projection, or a version of it, does so alone.';
