-- The store: one log of events, one row a stream, and what belongs to them.
-- Everything here is state. What can be made anew (functions, triggers, views, grants) lives in sql/.

create sequence daybook.positions as bigint;
comment on sequence daybook.positions is
  'Place in the whole store. Never CACHE > 1: the horizon rests on every position drawn later being greater than the last value read before.';

create sequence daybook.stream_keys as bigint cache 16;
comment on sequence daybook.stream_keys is 'Short keys of streams, used in the log in the place of their names. Their order means nothing.';

create table daybook.stream_heads (
  stream_key bigint not null default nextval('daybook.stream_keys'),
  version bigint not null,
  first_recorded_at timestamptz not null,
  last_recorded_at timestamptz not null,
  tenant_id text collate "C" not null,
  stream_id text collate "C" not null,
  constraint stream_heads_pkey primary key (tenant_id, stream_id)
) with (fillfactor = 90);

create index stream_heads_key on daybook.stream_heads (stream_key);

comment on table daybook.stream_heads is 'One row a stream: its version, and the row an append locks. Read it through the view streams.';
comment on column daybook.stream_heads.stream_key is 'Short key that events of this stream carry.';
comment on column daybook.stream_heads.version is 'Version of the last event, 0 while the stream is empty (it was named in a check and never written).';
comment on column daybook.stream_heads.first_recorded_at is 'Lower bound of recorded_at of its events: partitions before it are not read.';
comment on column daybook.stream_heads.last_recorded_at is 'Upper bound of recorded_at of its events; never goes backwards.';
comment on column daybook.stream_heads.tenant_id is 'Tenant the stream belongs to.';
comment on column daybook.stream_heads.stream_id is 'Name of the stream, <category>-<id>.';
comment on index daybook.stream_heads_key is 'From an event to the name of its stream.';
comment on index daybook.stream_heads_pkey is 'One row a stream.';

create table daybook.event_log (
  position bigint not null,
  stream_key bigint not null,
  version bigint not null,
  recorded_at timestamptz not null,
  occurred_at timestamptz,
  schema_version integer not null,
  event_id uuid not null,
  correlation_id uuid,
  causation_id uuid,
  tenant_id text collate "C" not null,
  category text collate "C" not null,
  type text collate "C" not null,
  data jsonb not null,
  metadata jsonb,
  tags text[] collate "C"
) partition by range (recorded_at);

-- lz4 halves the time to store payloads of several kilobytes; servers built without it keep pglz
do $$
begin
  alter table daybook.event_log alter column data set compression lz4, alter column metadata set compression lz4;
exception when feature_not_supported then
  null;
end $$;

create index event_log_position on daybook.event_log (position);
create index event_log_stream on daybook.event_log (stream_key, version);
create index event_log_event_id on daybook.event_log (event_id);
create index event_log_type on daybook.event_log (tenant_id, category, type, position);
create index event_log_correlation on daybook.event_log (correlation_id) where correlation_id is not null;

comment on table daybook.event_log is 'The events, append-only, one partition a month of recorded_at. Read it through the view events, which adds the name of the stream.';
comment on column daybook.event_log.position is 'Place in the whole store; gaps are rolled back appends.';
comment on column daybook.event_log.stream_key is 'Key of the stream in stream_heads.';
comment on column daybook.event_log.version is 'Place in the stream, from 1, without holes.';
comment on column daybook.event_log.recorded_at is 'The server''s clock at append; never runs backwards within a stream.';
comment on column daybook.event_log.occurred_at is 'When the application says it happened; null = recorded_at.';
comment on column daybook.event_log.schema_version is 'Version of the shape of data, from 1.';
comment on column daybook.event_log.event_id is 'Identity of the event, UUIDv7 where the caller gave none.';
comment on column daybook.event_log.correlation_id is 'The logical operation this event belongs to.';
comment on column daybook.event_log.causation_id is 'What triggered it: the id of an event or of a command.';
comment on column daybook.event_log.tenant_id is 'Tenant of the stream.';
comment on column daybook.event_log.category is 'The part of the stream''s name before the first dash.';
comment on column daybook.event_log.type is 'Name of what happened.';
comment on column daybook.event_log.data is 'What happened, a JSON object.';
comment on column daybook.event_log.metadata is 'What the caller says about it, a JSON object kept as given; null = empty.';
comment on column daybook.event_log.tags is 'Tags the event can be found and decided by; null = none.';
comment on index daybook.event_log_position is 'Following the log.';
comment on index daybook.event_log_stream is 'Reading one stream.';
comment on index daybook.event_log_event_id is 'Finding one event.';
comment on index daybook.event_log_type is 'Reading by type and by category within a tenant.';
comment on index daybook.event_log_correlation is 'Tracing one operation.';

create table daybook.event_partitions (
  partition_name text not null,
  range_from timestamptz not null,
  range_to timestamptz not null,
  waiting_for text[],
  last_position bigint,
  constraint event_partitions_pkey primary key (range_from)
);

comment on table daybook.event_partitions is 'What is known of each partition of event_log. Read it through the view partitions.';
comment on column daybook.event_partitions.partition_name is 'Name of the table in schema daybook.';
comment on column daybook.event_partitions.range_from is 'First recorded_at that belongs to it.';
comment on column daybook.event_partitions.range_to is 'First recorded_at that no longer belongs to it.';
comment on column daybook.event_partitions.waiting_for is 'While it is being sealed: the transactions that may still write into it.';
comment on column daybook.event_partitions.last_position is 'Set when the partition is sealed (nothing can be written into it any more): its highest position, 0 if it is empty.';
comment on index daybook.event_partitions_pkey is 'One partition a month.';

create table daybook.idempotency_keys (
  tenant_id text collate "C" not null,
  stream_key bigint not null,
  idempotency_key text collate "C" not null,
  payload_hash bytea not null,
  stream_version bigint not null,
  first_position bigint not null,
  last_position bigint not null,
  created_at timestamptz not null,
  constraint idempotency_keys_pkey primary key (tenant_id, stream_key, idempotency_key)
);

create index idempotency_keys_created_at on daybook.idempotency_keys (created_at);

comment on table daybook.idempotency_keys is 'First results of appends that carried an idempotency key, kept for settings.idempotency_retention.';
comment on column daybook.idempotency_keys.tenant_id is 'Tenant of the stream.';
comment on column daybook.idempotency_keys.stream_key is 'The stream the key belongs to.';
comment on column daybook.idempotency_keys.idempotency_key is 'The caller''s key.';
comment on column daybook.idempotency_keys.payload_hash is 'SHA-256 of types, schema versions, data and tags: a key is refused with another payload.';
comment on column daybook.idempotency_keys.stream_version is 'First result: version of the stream after the append.';
comment on column daybook.idempotency_keys.first_position is 'First result: position of its first event.';
comment on column daybook.idempotency_keys.last_position is 'First result: position of its last event.';
comment on column daybook.idempotency_keys.created_at is 'When the first append was made.';
comment on index daybook.idempotency_keys_created_at is 'Forgetting old keys.';
comment on index daybook.idempotency_keys_pkey is 'A key belongs to its tenant and stream.';

create table daybook.tenant_grants (
  tenant_id text collate "C" not null,
  role regrole not null,
  constraint tenant_grants_pkey primary key (tenant_id, role)
);

comment on table daybook.tenant_grants is 'Which database role may see and write which tenant. Written by grant_tenant and revoke_tenant. The grant of every tenant is SELECT on every_tenant.';
comment on column daybook.tenant_grants.tenant_id is 'The tenant.';
comment on column daybook.tenant_grants.role is 'The role; its members have the grant too.';
comment on index daybook.tenant_grants_pkey is 'Each grant once.';

create table daybook.every_tenant ();
comment on table daybook.every_tenant is 'Always empty. The right to SELECT from it is the grant of every tenant: a privilege costs an append less to check than a row.';

create table daybook.checkpoints (
  consumer text collate "C" not null,
  position bigint not null check (position >= 0),
  updated_at timestamptz not null default now(),
  constraint checkpoints_pkey primary key (consumer)
) with (fillfactor = 50);

comment on table daybook.checkpoints is 'How far each consumer of the log has come. A partition counts as passed when every checkpoint lies behind its last position.';
comment on column daybook.checkpoints.consumer is 'Name of the consumer.';
comment on column daybook.checkpoints.position is 'Position of the last event it is done with, 0 = none.';
comment on column daybook.checkpoints.updated_at is 'When it last moved.';
comment on index daybook.checkpoints_pkey is 'One row a consumer.';

create table daybook.settings (
  singleton boolean not null default true check (singleton),
  max_event_bytes integer not null default 1048576 check (max_event_bytes between 1024 and 268435455),
  max_events integer not null default 10000 check (max_events between 1 and 1000000),
  idempotency_retention interval not null default '7 days' check (idempotency_retention > interval '0'),
  partitions_ahead integer not null default 3 check (partitions_ahead between 1 and 120),
  constraint settings_pkey primary key (singleton)
);

insert into daybook.settings default values;

comment on table daybook.settings is 'Limits and periods of this store, one row. Change them with configure(setting, value).';
comment on column daybook.settings.singleton is 'Keeps the table to one row.';
comment on column daybook.settings.max_event_bytes is 'Largest data + metadata of one event, in bytes as stored (jsonb), uncompressed.';
comment on column daybook.settings.max_events is 'Most events in one append, and most entries in one batch.';
comment on column daybook.settings.idempotency_retention is 'How long an idempotency key is remembered.';
comment on column daybook.settings.partitions_ahead is 'How many months ahead partitions are made.';
comment on index daybook.settings_pkey is 'One row.';

-- Settings that each append looks at are constants in functions, which the planner folds into the append's plans:
-- reading a row for them would cost each append a twentieth of its time.
create function daybook._max_event_bytes() returns integer language sql immutable parallel safe return 1048576;
comment on function daybook._max_event_bytes() is 'settings.max_event_bytes as a constant; made anew by configure.';
create function daybook._max_events() returns integer language sql immutable parallel safe return 10000;
comment on function daybook._max_events() is 'settings.max_events as a constant; made anew by configure.';
create function daybook._writable_from() returns timestamptz language sql immutable parallel safe return 'infinity'::timestamptz;
comment on function daybook._writable_from() is 'Nothing is recorded before this moment: older partitions are sealed. A constant, made anew by ensure_partitions and seal_partitions.';
create function daybook._writable_until() returns timestamptz language sql immutable parallel safe return '-infinity'::timestamptz;
comment on function daybook._writable_until() is 'There are partitions up to this moment. A constant, made anew by ensure_partitions.';

create type daybook.event as (
  position bigint,
  tenant_id text,
  stream_id text,
  version bigint,
  category text,
  type text,
  data jsonb,
  metadata jsonb,
  event_id uuid,
  correlation_id uuid,
  causation_id uuid,
  schema_version integer,
  tags text[],
  occurred_at timestamptz,
  recorded_at timestamptz
);
comment on type daybook.event is 'An event as it is read: the columns of the view events.';
comment on column daybook.event."position" is 'Place in the whole store; gaps are rolled back appends.';
comment on column daybook.event.tenant_id is 'Tenant of the stream.';
comment on column daybook.event.stream_id is 'Name of the stream, <category>-<id>.';
comment on column daybook.event.version is 'Place in the stream, from 1, without holes.';
comment on column daybook.event.category is 'The part of the stream''s name before the first dash.';
comment on column daybook.event.type is 'Name of what happened.';
comment on column daybook.event.data is 'What happened, a JSON object.';
comment on column daybook.event.metadata is 'What the caller says about it, a JSON object kept as given; {} if nothing.';
comment on column daybook.event.event_id is 'Identity of the event, UUIDv7 where the caller gave none.';
comment on column daybook.event.correlation_id is 'The logical operation this event belongs to.';
comment on column daybook.event.causation_id is 'What triggered it: the id of an event or of a command.';
comment on column daybook.event.schema_version is 'Version of the shape of data, from 1.';
comment on column daybook.event.tags is 'Tags the event can be found and decided by, sorted; null = none.';
comment on column daybook.event.occurred_at is 'When the application says it happened; recorded_at where it says nothing.';
comment on column daybook.event.recorded_at is 'The server''s clock at append; never runs backwards within a stream.';

create type daybook.append_result as (
  stream_version bigint,
  first_position bigint,
  last_position bigint,
  duplicate boolean
);
comment on type daybook.append_result is 'What an append did: version of the stream after it, positions of its first and last event, and whether these are the results of an earlier, equal append.';
comment on column daybook.append_result.stream_version is 'Version of the stream after the append.';
comment on column daybook.append_result.first_position is 'Position of its first event.';
comment on column daybook.append_result.last_position is 'Position of its last event.';
comment on column daybook.append_result.duplicate is 'Whether these are the results of an earlier, equal append: nothing was written.';

do $$
declare
  _role text;
begin
  foreach _role in array array['daybook_reader', 'daybook_writer', 'daybook_worker', 'daybook_admin'] loop
    continue when exists (select from pg_roles r where r.rolname = _role);
    begin
      execute format('create role %I nologin', _role);
    exception
      when duplicate_object or unique_violation then
        null;
      when insufficient_privilege then
        raise exception using
          errcode = '42501',
          message = format('Daybook needs the role %s, and %s may not create roles', _role, current_user),
          hint = 'Have a superuser run: create role daybook_reader; create role daybook_writer; create role daybook_worker; create role daybook_admin; '
            'grant daybook_reader to daybook_writer; grant daybook_writer to daybook_worker; grant daybook_worker to daybook_admin; then migrate again.';
    end;
  end loop;
end $$;

create type daybook.batch_result as (
  entry integer,
  status text,
  stream_id text,
  stream_version bigint,
  first_position bigint,
  last_position bigint,
  duplicate boolean,
  error jsonb
);
comment on type daybook.batch_result is 'Outcome of one entry of append_batch.';
comment on column daybook.batch_result.entry is 'Which entry, from 0.';
comment on column daybook.batch_result.status is 'appended, duplicate, failed (see error) or busy (somebody else holds the stream: append it alone).';
comment on column daybook.batch_result.stream_id is 'Name of its stream.';
comment on column daybook.batch_result.stream_version is 'Version of the stream after the append, null where there was none.';
comment on column daybook.batch_result.first_position is 'Position of its first event.';
comment on column daybook.batch_result.last_position is 'Position of its last event.';
comment on column daybook.batch_result.duplicate is 'Whether these are the results of an earlier, equal append: nothing was written.';
comment on column daybook.batch_result.error is 'Why it failed: {code, message, detail, hint}, as PostgreSQL would have raised it.';
