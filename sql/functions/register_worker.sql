-- The lock comes first: a row without its lock would be swept away. The lock of an earlier session of the same worker may
-- be there still, as the server has not noticed its end, so then it gets another number.
create or replace function daybook.register_worker(
  worker text,
  host text,
  pid integer
) returns integer
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _key integer := coalesce((select w.lock_key from daybook.workers w where w.worker = register_worker.worker), 0);
begin
  if coalesce(register_worker.worker, '') = '' or register_worker.host is null or register_worker.pid is null then
    raise exception using
      errcode = 'YD108',
      message = 'a worker is registered with its id, the name of its machine and its process id',
      detail = jsonb_build_object('worker', register_worker.worker, 'host', register_worker.host, 'pid', register_worker.pid),
      hint = 'select daybook.register_worker(''pool-1'', ''host-a'', 4711)';
  end if;

  while _key = 0 or not pg_try_advisory_lock(1145196367, _key) loop
    _key := (random() * 4294967294)::bigint - 2147483647;
  end loop;

  insert into daybook.workers as w (worker, lock_key, host, pid)
  values (register_worker.worker, _key, register_worker.host, register_worker.pid)
      on conflict on constraint workers_pkey
      do update set lock_key = excluded.lock_key, host = excluded.host, pid = excluded.pid;
  return _key;
end
$$;

comment on function daybook.register_worker(text, text, integer) is
  'A worker process says that it is there: as long as this session lives, it does. Returns the second number of the lock that the session holds (the first is 1145196367).';
