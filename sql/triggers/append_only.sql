-- Partitions get theirs when they are made; here are the table itself and the partitions made before this file changed.
do $$
declare
  _table regclass;
begin
  for _table in select t.relid from pg_partition_tree('daybook.event_log') t loop
    perform daybook._protect_events(_table);
  end loop;
end $$;
