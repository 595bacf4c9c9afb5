-- Who may do what. Run whenever anything in sql/ has changed: an object made anew starts with PostgreSQL's own defaults.

-- where a superuser made the roles, the installing role need not be allowed to grant them
do $$
declare
  _role text;
  _to text;
begin
  for _role, _to in
    values ('daybook_reader', 'daybook_writer'), ('daybook_writer', 'daybook_worker'), ('daybook_worker', 'daybook_admin')
  loop
    if not pg_has_role(_to, _role, 'member') then
      begin
        execute format('grant %I to %I', _role, _to);
      exception when unique_violation then
        -- roles belong to the server: an installation in another database of it has just granted the same
        null;
      end;
    end if;
  end loop;
end $$;

-- what appends ask and call, as the functions installed now make it
do $$
begin
  perform daybook._remake_watching();
end $$;

revoke all on all functions in schema daybook from public, daybook_reader, daybook_writer, daybook_worker, daybook_admin;
revoke all on all tables in schema daybook from public, daybook_reader, daybook_writer, daybook_worker, daybook_admin;
revoke all on all sequences in schema daybook from public, daybook_reader, daybook_writer, daybook_worker, daybook_admin;
grant usage on schema daybook to daybook_reader, daybook_projector;
grant usage on schema daybook_projections to daybook_reader;
-- asked by views that anybody may have been granted
grant execute on function daybook.sees_version(text, integer) to public;
-- what says that a projection failed, and does nothing else
grant execute on function daybook._refuse_append(text, daybook.event[], text, text), daybook._own_tables_only(text, jsonb) to daybook_projector;

-- whoever uses the store may see whether it is up to date (where it was installed by migrate and not file by file)
do $$
begin
  if to_regclass('daybook.installation') is not null then
    grant select on daybook.migrations, daybook.installed_objects, daybook.installation to daybook_reader;
  end if;
end $$;

-- reading runs with the rights of the caller, below row security
grant select on daybook.events, daybook.streams, daybook.event_log, daybook.stream_heads to daybook_reader;
grant select on sequence daybook.positions to daybook_reader;
grant execute on function
  daybook.read_stream(text, bigint, integer, boolean, text),
  daybook.read_all(bigint, integer, text[], text[], text),
  daybook.read_type(text, timestamptz, bigint, integer, text),
  daybook.read_category(text, bigint, integer, text),
  daybook.category_streams(text, text, integer, text),
  daybook.read_event(uuid, text),
  daybook.read_streams(jsonb, integer, text),
  daybook.trace(uuid, text),
  daybook.stream_version(text, text),
  daybook.horizon(),
  daybook.visible_tenants(),
  daybook._tenant(text),
  daybook._check_count(integer, bigint),
  daybook._check_reads(jsonb),
  daybook._read_from(bigint),
  daybook._read_filtered(bigint, integer, text[], text[], text[], bigint, timestamptz),
  daybook._kinds(text[], text[], text[])
to daybook_reader;

-- waking, for whoever follows the log; with the rights of the caller
grant execute on function
  daybook.pulse(),
  daybook.read_settled(bigint, bigint, integer, text[], text[], text),
  daybook._settled(bigint),
  daybook.fall_asleep(),
  daybook.wake_up(),
  daybook._notify_sleepers()
to daybook_reader;

-- writing runs with the rights of the owner, through these functions alone
grant execute on function
  daybook.append(text, jsonb, bigint, text, text),
  daybook.append_event(text, text, jsonb, jsonb, bigint, uuid, uuid, uuid, text[], integer, timestamptz, text, text),
  daybook.append_streams(jsonb, text),
  daybook.append_batch(jsonb, text),
  daybook.uuid_v7()
to daybook_writer;

-- whoever follows the log and keeps it going; across tenants
grant select on daybook.every_tenant, daybook.checkpoints, daybook.settings, daybook.event_partitions, daybook.partitions to daybook_worker;
grant execute on function
  daybook.ensure_partitions(integer),
  daybook.seal_partitions(),
  daybook.forget_idempotency_keys(integer),
  daybook.upkeep(),
  daybook.checkpoint_position(text),
  daybook.advance_checkpoint(text, bigint),
  daybook._partition_facts()
to daybook_worker;

-- worker processes
grant select on daybook.workers to daybook_worker;
grant execute on function
  daybook.register_worker(text, text, integer),
  daybook.unregister_worker(text),
  daybook.sweep_workers()
to daybook_worker;

-- the outbox
grant execute on function
  daybook.publish(text, jsonb, text),
  daybook.receive(text, integer, interval, text),
  daybook.ack(text, uuid),
  daybook.nack(text, uuid, text, interval),
  daybook.process_once(text, text, text)
to daybook_writer;
grant select on daybook.outbox_routes, daybook.outbox_log, daybook.outbox_leases, daybook.outbox, daybook.routes to daybook_worker;
grant execute on function
  daybook.create_route(text, text, text, text[], text[], text, integer, text, text, integer, text, integer, interval, interval, boolean, text),
  daybook.forget_delivered(integer),
  daybook.forget_processed_messages(integer),
  daybook.read_outbox_for(text, bigint, bigint, integer, integer, integer),
  daybook.read_parked_messages(text, text, bigint, bigint, integer, text)
to daybook_worker;
grant execute on function
  daybook.drop_route(text, text)
to daybook_admin;

-- handlers, and what routes have in common with them: drains
grant select on
  daybook.consumers, daybook.cursors, daybook.parked_streams, daybook.dead_letters_log, daybook.audit_log,
  daybook.handlers, daybook.parked, daybook.dead_letters, daybook.audit, daybook.workers_alive
to daybook_worker;
grant execute on function
  daybook.create_handler(text, text[], text[], text, integer, text, integer, interval, interval, text),
  daybook.handler_position(text),
  daybook.claim_consumer(text, text, integer, integer, bigint),
  daybook.read_events_for(text, bigint, bigint, integer, integer, integer, text),
  daybook.finish_batch(text, text, integer, bigint, bigint, uuid, integer),
  daybook.fail_message(text, text, integer, bigint, bigint, text, uuid, text, jsonb, integer, text),
  daybook.postpone(text, text, integer, bigint, jsonb),
  daybook.claim_parked(text, text, integer, integer, integer),
  daybook.read_parked_events(text, text, bigint, bigint, integer, text, text),
  daybook.finish_parked(text, text, text, bigint, bigint, text),
  daybook.fail_parked(text, text, text, bigint, uuid, text, jsonb, text),
  daybook.due_consumers(bigint, bigint, bigint),
  daybook.move_idle_consumers(bigint, bigint, integer),
  daybook.next_due(),
  daybook.halt_consumer(text, text, text),
  daybook._shard(text, integer)
to daybook_worker;
-- and people
grant execute on function
  daybook.drop_handler(text, text),
  daybook.advance_handler(text, bigint, text),
  daybook.pause_handler(text, text),
  daybook.resume_handler(text),
  daybook.reset_handler(text, text, text),
  daybook.replay_handler(text, text, text),
  daybook.pause_route(text, text),
  daybook.resume_route(text),
  daybook.reset_route(text, text, text),
  daybook.retry_parked(text, text, text, text),
  daybook.retry_dead_letter(bigint),
  daybook.retry_dead_letters(text, text, text, text),
  daybook.discard_dead_letter(bigint, text),
  daybook.discard_dead_letters(text, text, text, text, text)
to daybook_admin;

-- projections
grant execute on function
  daybook.wait_for(text, bigint, interval)
to daybook_reader;
grant select on daybook.projection_versions, daybook.projections to daybook_worker;
grant execute on function
  daybook.create_projection(text, text, jsonb, text, text[], text[], text, text, integer, interval, interval, text, text, boolean, integer, text),
  daybook.advance_projection(text, integer)
to daybook_worker;
grant execute on function
  daybook.replace_projection(text, text, jsonb, text, text[], text[], text, integer, boolean),
  daybook.rebuild_projection(text),
  daybook.drop_rebuild(text, text),
  daybook.drop_projection(text, text, boolean),
  daybook.pause_projection(text, text),
  daybook.resume_projection(text),
  daybook.reset_projection(text, text)
to daybook_admin;

-- state of streams: folding runs with the rights of the caller
grant select on daybook.reducer_definitions, daybook.snapshots_log, daybook.reducers, daybook.snapshots to daybook_reader;
grant execute on function
  daybook.fold(text, text, jsonb, bigint, timestamptz, text),
  daybook.load_state(text, text, jsonb, bigint, timestamptz, text),
  daybook.read_snapshot(text, text, integer, bigint, timestamptz, text),
  daybook._find_reducer(text),
  daybook._reducer_function(text),
  daybook._is_trusted_reducer(text),
  daybook._fold_target(text, bigint, timestamptz, text),
  daybook._fold_each(daybook.reducer_definitions, jsonb, daybook.event[])
to daybook_reader;
grant execute on function
  daybook.save_snapshot(text, text, integer, bigint, jsonb, text, integer, text),
  daybook.take_snapshots(text, integer)
to daybook_writer;
grant execute on function
  daybook.create_reducer(text, text, integer, integer, jsonb, integer, text[]),
  daybook.drop_reducer(text, text),
  daybook.forget_snapshots(text, text, text)
to daybook_admin;

-- projections that ship with Daybook
grant execute on function
  daybook.create_event_counts(text, text, text[], text[], text),
  daybook.create_last_events(text, text, text[], text[], text),
  daybook.create_audit_trail(text, text, text[], text[], text)
to daybook_admin;

grant select on daybook.tenant_grants, daybook.idempotency_keys to daybook_admin;
grant execute on function
  daybook.configure(text, text),
  daybook.grant_tenant(name, text),
  daybook.revoke_tenant(name, text)
to daybook_admin;

-- Row security: for readers, and for the functions too where the owner is no superuser. Only what is missing: each of
-- these statements stops appends while it runs.
do $$
declare
  _table regclass;
begin
  foreach _table in array array['daybook.event_log', 'daybook.stream_heads', 'daybook.idempotency_keys', 'daybook.outbox_log', 'daybook.outbox_leases', 'daybook.processed_messages', 'daybook.consumers', 'daybook.parked_streams', 'daybook.dead_letters_log', 'daybook.snapshots_log']::regclass[] loop
    if not (select c.relrowsecurity and c.relforcerowsecurity from pg_class c where c.oid = _table) then
      execute format('alter table %s enable row level security', _table);
      execute format('alter table %s force row level security', _table);
    end if;
    if not exists (select from pg_policy p where p.polrelid = _table and p.polname = 'tenants') then
      execute format('create policy tenants on %s using (coalesce(tenant_id = any ((select daybook.visible_tenants())::text[]), true))', _table);
      execute format('comment on policy tenants on %s is %L', _table, 'A session sees and writes the tenants it was granted, or the one it is narrowed to.');
    end if;
  end loop;
end $$;
