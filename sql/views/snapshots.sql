create or replace view daybook.snapshots with (security_invoker = true) as
select s.tenant_id, h.stream_id, s.source, s.reducer, s.reducer_version, s.version, h.version - s.version as behind, s.state, s.taken_at
  from daybook.snapshots_log s
  join daybook.stream_heads h on h.tenant_id = s.tenant_id and h.stream_key = s.stream_key;

comment on view daybook.snapshots is 'States of streams from which folds go on.';
comment on column daybook.snapshots.tenant_id is 'Tenant of the stream.';
comment on column daybook.snapshots.stream_id is 'Name of the stream.';
comment on column daybook.snapshots.source is 'sql: made by a reducer of the view reducers; client: by one that an application has in its code.';
comment on column daybook.snapshots.reducer is 'Name of the reducer.';
comment on column daybook.snapshots.reducer_version is 'Version of the reducer that made it.';
comment on column daybook.snapshots.version is 'Version of the stream that the state is of.';
comment on column daybook.snapshots.behind is 'How many events the stream has behind that version.';
comment on column daybook.snapshots.state is 'The state.';
comment on column daybook.snapshots.taken_at is 'When it was saved.';
