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
         and not exists (select from daybook.checkpoints c where c.position < p.last_position)
         and not exists (select from daybook.cursors c where c.kind = 'handler' and c.position < p.last_position)
         and not exists (select from daybook.parked_streams s where s.kind = 'handler' and s.position <= p.last_position) as passed
  from daybook.event_partitions p
  join daybook._partition_facts() f on f.partition_name = p.partition_name
 order by p.range_from;

comment on view daybook.partitions is 'The monthly partitions of the log: range of recorded_at, rows (as the statistics have them), bytes with indexes, first and last position, and whether it is sealed and every consumer has passed it.';
comment on column daybook.partitions.partition is 'Name of the table in schema daybook.';
comment on column daybook.partitions.range_from is 'First recorded_at that belongs to it.';
comment on column daybook.partitions.range_to is 'First recorded_at that no longer belongs to it.';
comment on column daybook.partitions.state is 'ahead (its month has not begun), current, past (its month is over), sealing, or sealed: nothing can be written into it any more.';
comment on column daybook.partitions.rows is 'Events in it, as the statistics have it.';
comment on column daybook.partitions.bytes is 'Room it takes on disk, with its indexes, in bytes.';
comment on column daybook.partitions.first_position is 'Position of its first event, null while it is empty.';
comment on column daybook.partitions.last_position is 'Position of its last event, null while it is empty.';
comment on column daybook.partitions.passed is 'Whether it is sealed, every handler and every consumer that has a checkpoint is beyond its last position, and no stream is parked for a handler at an event in it.';
