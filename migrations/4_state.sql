-- State of streams: the reducers that fold events into it, and snapshots, from which a fold goes on.

create table daybook.reducer_definitions (
  name text collate "C" not null,
  function text not null,
  version integer not null check (version > 0),
  initial jsonb not null,
  snapshot_every integer check (snapshot_every > 0),
  keep_snapshots integer not null check (keep_snapshots > 0),
  categories text[] collate "C",
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  constraint reducer_definitions_pkey primary key (name)
);

comment on table daybook.reducer_definitions is 'Functions that fold the events of a stream into its state. Read it through the view reducers.';
comment on column daybook.reducer_definitions.name is 'Its name.';
comment on column daybook.reducer_definitions.function is 'schema.function(state jsonb, event daybook.event) returns jsonb.';
comment on column daybook.reducer_definitions.version is 'Version of its logic: snapshots of another version are not used.';
comment on column daybook.reducer_definitions.initial is 'State of a stream without events.';
comment on column daybook.reducer_definitions.snapshot_every is 'A stream is due for a snapshot so many events behind its last; null = no snapshots are taken.';
comment on column daybook.reducer_definitions.keep_snapshots is 'How many snapshots of a stream are kept, the newest ones.';
comment on column daybook.reducer_definitions.categories is 'Categories of the streams that snapshots are taken of; null = all.';
comment on column daybook.reducer_definitions.created_at is 'When it was created.';
comment on column daybook.reducer_definitions.changed_at is 'When its definition last changed.';
comment on index daybook.reducer_definitions_pkey is 'One row a reducer.';

create table daybook.snapshots_log (
  stream_key bigint not null,
  version bigint not null check (version > 0),
  taken_at timestamptz not null default clock_timestamp(),
  reducer_version integer not null check (reducer_version > 0),
  tenant_id text collate "C" not null,
  source text collate "C" not null check (source in ('sql', 'client')),
  reducer text collate "C" not null,
  state jsonb not null,
  constraint snapshots_log_pkey primary key (tenant_id, stream_key, source, reducer, reducer_version, version)
);

do $$
begin
  alter table daybook.snapshots_log alter column state set compression lz4;
exception when feature_not_supported then
  null;
end $$;

create index snapshots_log_reducer on daybook.snapshots_log (source, reducer, reducer_version, taken_at);

comment on table daybook.snapshots_log is 'States of streams at a version, from which folds go on: a cache, nothing is lost with it. Read it through the view snapshots.';
comment on column daybook.snapshots_log.stream_key is 'Key of the stream in stream_heads.';
comment on column daybook.snapshots_log.version is 'Version of the stream that the state is of.';
comment on column daybook.snapshots_log.taken_at is 'When it was saved.';
comment on column daybook.snapshots_log.reducer_version is 'Version of the reducer that made it.';
comment on column daybook.snapshots_log.tenant_id is 'Tenant of the stream.';
comment on column daybook.snapshots_log.source is 'sql: made by a reducer of reducer_definitions; client: by one that an application has in its code. They do not use each other''s.';
comment on column daybook.snapshots_log.reducer is 'Name of the reducer.';
comment on column daybook.snapshots_log.state is 'The state.';
comment on index daybook.snapshots_log_pkey is 'The latest snapshot of a stream up to a version.';
comment on index daybook.snapshots_log_reducer is 'Forgetting those of old versions of a reducer.';
