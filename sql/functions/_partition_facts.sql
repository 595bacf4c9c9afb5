create or replace function daybook._partition_facts()
returns table (partition_name text, row_count bigint, bytes bigint, first_position bigint, last_position bigint)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _one daybook.event_partitions;
begin
  for _one in select p.* from daybook.event_partitions p loop
    partition_name := _one.partition_name;
    bytes := pg_total_relation_size(format('daybook.%I', _one.partition_name)::regclass);
    row_count := greatest(
      pg_stat_get_live_tuples(format('daybook.%I', _one.partition_name)::regclass),
      (select c.reltuples::bigint from pg_class c where c.oid = format('daybook.%I', _one.partition_name)::regclass), 0);
    execute format('select min(l.position), max(l.position) from daybook.%I l', _one.partition_name) into first_position, last_position;
    return next;
  end loop;
end
$$;

comment on function daybook._partition_facts() is 'What has to be looked up in each partition itself: rows (as the statistics have them), bytes with indexes, first and last position.';
