create or replace view daybook.partitions with (security_invoker = true) as
select p.partition_name as partition, p.range_from, p.range_to,
       case
         when p.last_position is not null then 'sealed'
         when p.waiting_for is not null then 'sealing'
         when p.range_from > now() then 'ahead'
         when p.range_to > now() then 'current'
         else 'past'
       end as state,
       f.row_count as rows, f.bytes, f.first_position, f.last_position,
       p.last_position is not null
         and not exists (select from daybook.checkpoints c where c.position < p.last_position) as passed
  from daybook.event_partitions p
  join daybook._partition_facts() f on f.partition_name = p.partition_name
 order by p.range_from;

comment on view daybook.partitions is 'The monthly partitions of the log: range of recorded_at, rows (as the statistics have them), bytes with indexes, first and last position, and whether it is sealed and every consumer has passed it.';
