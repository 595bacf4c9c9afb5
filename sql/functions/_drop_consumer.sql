create or replace function daybook._drop_consumer(consumer text, reason text) returns void
language plpgsql volatile
as $$
begin
  update daybook.dead_letters_log d
     set state = 'discarded', state_reason = _drop_consumer.reason, changed_at = now()
   where d.kind = 'projection' and d.name = _drop_consumer.consumer and d.state in ('waiting', 'retrying');
  delete from daybook.parked_streams p where p.kind = 'projection' and p.name = _drop_consumer.consumer;
  delete from daybook.cursors c where c.kind = 'projection' and c.name = _drop_consumer.consumer;
  delete from daybook.consumers k where k.kind = 'projection' and k.name = _drop_consumer.consumer;
end
$$;

comment on function daybook._drop_consumer(text, text) is 'Drops the consumer of a version: its position, its parked streams; its open dead letters are discarded.';
