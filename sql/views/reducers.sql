create or replace view daybook.reducers with (security_invoker = true) as
select r.name, r.function, r.version, r.initial, r.snapshot_every, r.keep_snapshots, r.categories,
       r.snapshot_every is not null and daybook._is_trusted_reducer(r.function) as by_upkeep, r.created_at, r.changed_at
  from daybook.reducer_definitions r
 order by r.name;

comment on view daybook.reducers is 'Functions that fold the events of a stream into its state.';
comment on column daybook.reducers.name is 'Its name, as fold takes it.';
comment on column daybook.reducers.function is 'schema.function(state jsonb, event daybook.event) returns jsonb.';
comment on column daybook.reducers.version is 'Version of its logic: snapshots of another version are not used.';
comment on column daybook.reducers.initial is 'State of a stream without events.';
comment on column daybook.reducers.snapshot_every is 'A stream is due for a snapshot so many events behind its last; null = no snapshots are taken.';
comment on column daybook.reducers.keep_snapshots is 'How many snapshots of a stream are kept, the newest ones.';
comment on column daybook.reducers.categories is 'Categories of the streams that snapshots are taken of; null = all.';
comment on column daybook.reducers.by_upkeep is 'Whether take_snapshots takes its snapshots without its being named: its function belongs to the owner of Daybook, a superuser or whoever asks. Those of the first two upkeep takes.';
comment on column daybook.reducers.created_at is 'When it was created.';
comment on column daybook.reducers.changed_at is 'When its definition last changed.';
