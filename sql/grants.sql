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

revoke all on all functions in schema daybook from public, daybook_reader, daybook_writer, daybook_worker, daybook_admin;
revoke all on all tables in schema daybook from public, daybook_reader, daybook_writer, daybook_worker, daybook_admin;
revoke all on all sequences in schema daybook from public, daybook_reader, daybook_writer, daybook_worker, daybook_admin;
grant usage on schema daybook to daybook_reader;

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
  foreach _table in array array['daybook.event_log', 'daybook.stream_heads', 'daybook.idempotency_keys']::regclass[] loop
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
