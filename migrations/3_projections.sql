-- Projections: consumers whose effects are rows of tables that Daybook makes, a schema for each version, and that readers
-- see through views of stable names.

alter table daybook.consumers
  drop constraint consumers_kind_check,
  drop constraint consumers_state_check,
  add constraint consumers_kind_check check (kind in ('handler', 'route', 'projection')),
  add constraint consumers_state_check check (state in ('running', 'paused', 'halted', 'inline'));
comment on table daybook.consumers is 'Handlers, routes and projections, one row each: what they follow, whether they run, and what happens when a message fails. Read it through the views handlers, routes and projections.';
comment on column daybook.consumers.kind is 'handler: code that follows the log; route: sends messages of the outbox to a transport; projection: turns events into rows.';
comment on column daybook.consumers.name is 'Its name, unique within its kind; of the version of a projection that is being built: <name>@<version>.';
comment on column daybook.consumers.implementation is 'Name of the code that runs it: its own, or another''s where it is a replay under a name of its own; of a projection: its name, whatever the version.';
comment on column daybook.consumers.state is 'running, paused (by a person), halted (by a failure; a person is needed), inline (appends themselves keep it up to date).';
comment on column daybook.parked_streams.stream_key is 'Key of the stream in stream_heads; null for a route, whose streams are known by name.';

-- Whoever applies events: the apply functions run as this role, which may write the tables of projections, and reads nothing
-- of the store.
do $$
begin
  if not exists (select from pg_roles r where r.rolname = 'daybook_projector') then
    begin
      create role daybook_projector nologin;
    exception
      when duplicate_object or unique_violation then
        null;
      when insufficient_privilege then
        raise exception using
          errcode = '42501',
          message = format('Daybook needs the role daybook_projector, and %s may not create roles', current_user),
          hint = format('Have a superuser run: create role daybook_projector; grant daybook_projector to %I; then migrate again.', current_user);
    end;
  end if;
  if not pg_has_role(current_user, 'daybook_projector', 'usage') or not pg_has_role(current_user, 'daybook_projector', 'member') then
    begin
      execute format('grant daybook_projector to %I', current_user);
    exception
      when unique_violation then
        -- roles belong to the server: an installation in another database of it has just granted the same
        null;
      when insufficient_privilege then
        raise exception using
          errcode = '42501',
          message = format('%s must be a member of the role daybook_projector', current_user),
          hint = format('Have a superuser run: grant daybook_projector to %I; then migrate again.', current_user);
    end;
  end if;
  if to_regnamespace('daybook_projections') is null then
    create schema daybook_projections authorization daybook_projector;
  end if;
end $$;
comment on schema daybook_projections is 'What readers see of projections: a view for each of their tables, whatever version is behind it. Made by create_projection.';

-- Whoever owns a function can have it run with the rights of its caller instead. So the functions by which the owner of
-- Daybook steps down to daybook_projector live where that role can name none of them.
create schema daybook_doors;
comment on schema daybook_doors is 'Functions by which Daybook has something run with the rights of daybook_projector, which may not even see them. Nobody else''s business.';
create function daybook_doors.run(statement text, schema text) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if run.schema is not null then
    perform set_config('search_path', format('%I, pg_temp', run.schema), true);
  end if;
  execute run.statement;
end
$$;
comment on function daybook_doors.run(text, text) is 'Runs a statement with the rights of daybook_projector, and with a schema first on its search_path.';
revoke all on function daybook_doors.run(text, text) from public;
grant create on schema daybook_doors to daybook_projector;
alter function daybook_doors.run(text, text) owner to daybook_projector;
revoke create on schema daybook_doors from daybook_projector;

create table daybook.projection_versions (
  name text collate "C" not null,
  version integer not null check (version > 0),
  consumer text collate "C" not null,
  stage text collate "C" not null check (stage in ('live', 'building', 'retired')),
  mode text collate "C" not null check (mode in ('inline', 'async')),
  serialize boolean not null default false,
  apply text,
  takes text collate "C" not null check (takes in ('event', 'batch', 'typescript')),
  source text,
  revision integer not null default 1,
  tables jsonb not null default '{}',
  setup text,
  schema_name text collate "C" not null,
  view_schema text collate "C" not null,
  start_position bigint not null default 0,
  begun_position bigint not null default 0,
  handled bigint not null default 0,
  rate double precision,
  dropped_version integer,
  checked integer not null default 0,
  attempts integer not null default 0,
  switch_at timestamptz,
  waits_for text[],
  state_reason text,
  begun_at timestamptz not null default now(),
  live_at timestamptz,
  constraint projection_versions_pkey primary key (name, version)
) with (fillfactor = 50);

create unique index projection_versions_consumer on daybook.projection_versions (consumer) where stage <> 'retired';
create unique index projection_versions_stage on daybook.projection_versions (name, stage) where stage <> 'retired';

comment on table daybook.projection_versions is 'Versions of projections: the live one, the one that is being built, and old ones whose tables are to be dropped. Read it through the view projections.';
comment on column daybook.projection_versions.name is 'Name of the projection.';
comment on column daybook.projection_versions.version is 'Number of the version, from 1.';
comment on column daybook.projection_versions.consumer is 'Name of its consumer: that of the projection for the live version, <name>@<version> for the one that is being built.';
comment on column daybook.projection_versions.stage is 'live (readers see it), building (beside the live one), retired (its tables are to be dropped).';
comment on column daybook.projection_versions.mode is 'inline: appends apply their events themselves; async: it follows the log.';
comment on column daybook.projection_versions.serialize is 'inline: appends that it is given take turns.';
comment on column daybook.projection_versions.apply is 'schema.function that its apply function was copied from; null = code in TypeScript.';
comment on column daybook.projection_versions.takes is 'What it is given at a time: event, batch (an array of events), or typescript (a worker has the code).';
comment on column daybook.projection_versions.source is 'Hash of the apply function as it was copied.';
comment on column daybook.projection_versions.revision is 'Revision of its definition, as its authors count them: an older one never replaces a newer one.';
comment on column daybook.projection_versions.tables is 'Its tables: name and columns, as in create table.';
comment on column daybook.projection_versions.setup is 'Statements that were run once its tables were made; null = none.';
comment on column daybook.projection_versions.schema_name is 'Schema of its tables.';
comment on column daybook.projection_versions.view_schema is 'Schema of the views that readers use.';
comment on column daybook.projection_versions.start_position is 'The position behind which it starts, when it is reset or rebuilt too.';
comment on column daybook.projection_versions.begun_position is 'End of the log when it was begun: how far it has to go, for the progress.';
comment on column daybook.projection_versions.handled is 'Events it was given.';
comment on column daybook.projection_versions.rate is 'Events a second while it is at work, a moving average; null = nothing yet.';
comment on column daybook.projection_versions.dropped_version is 'Of the live version: number of the last one that was dropped while it was built; null = none. Numbers are not used again.';
comment on column daybook.projection_versions.checked is 'Batches after which the tables it wrote to were looked at.';
comment on column daybook.projection_versions.attempts is 'How often it could not be switched to, since it had caught up.';
comment on column daybook.projection_versions.switch_at is 'When that is tried again; null = at once.';
comment on column daybook.projection_versions.waits_for is 'Transactions that were in the way of the switch (as pg_locks names them): it is not tried again before they have ended.';
comment on column daybook.projection_versions.state_reason is 'What it waits for, where it has caught up and could not be switched to.';
comment on column daybook.projection_versions.begun_at is 'When it was begun.';
comment on column daybook.projection_versions.live_at is 'Since when readers see it.';
comment on index daybook.projection_versions_pkey is 'Numbers belong to projections.';
comment on index daybook.projection_versions_consumer is 'From a consumer to its version.';
comment on index daybook.projection_versions_stage is 'One live version, and one that is being built.';

create table daybook.inline_projections (
  name text collate "C" not null,
  version integer not null,
  since bigint not null,
  turns bigint not null default 0,
  constraint inline_projections_pkey primary key (name)
) with (fillfactor = 50);

comment on table daybook.inline_projections is 'Projections that appends keep up to date at present. A transaction of an older snapshot that does not see the row as it is now must begin again: it would not see the rows of the tables either.';
comment on column daybook.inline_projections.name is 'Name of the projection.';
comment on column daybook.inline_projections.version is 'The version that appends write to.';
comment on column daybook.inline_projections.since is 'Number of the transaction from which on appends write to it: an older snapshot sees another row, or none.';
comment on column daybook.inline_projections.turns is 'Turns that were taken, where appends take turns.';
comment on index daybook.inline_projections_pkey is 'One row a projection.';

-- What appends ask, and what they call, beside writing the event: made anew by _remake_watching.
create function daybook._watched(tenant_id text, category text, type text) returns boolean language sql immutable parallel safe return daybook._routed(tenant_id, category, type);
comment on function daybook._watched(text, text, text) is 'Whether anything happens when an event is appended: a route or an inline projection may want it. Made anew with either; folded into the plans of appends.';
create function daybook._on_append(events daybook.event[]) returns bigint language plpgsql volatile as $$ begin return daybook._write_outbox(events); end $$;
create function daybook._on_append_one(event daybook.event) returns bigint language plpgsql volatile as $$ begin return daybook._write_outbox(array[event]); end $$;
comment on function daybook._on_append_one(daybook.event) is 'As _on_append, for an append of one event: where one thing happens, it is folded into the expression that calls it.';
comment on function daybook._on_append(daybook.event[]) is 'What happens in the transaction of an append: messages into the outbox, inline projections. Made anew with them. Never negative.';

-- They serve projections too: made anew with one more argument.
drop function if exists daybook.read_events_for(text, bigint, bigint, integer, integer, integer);
drop function if exists daybook.read_parked_events(text, text, bigint, bigint, integer, text);

-- What a checkpoint that is kept in another database carries beside its position: which log it is of.
alter table daybook.settings add column epoch uuid not null default gen_random_uuid();
comment on column daybook.settings.epoch is 'Tells this store from others: checkpoints that are kept elsewhere carry it.';

-- It counts what a projection in TypeScript was given: made anew with one more argument.
drop function if exists daybook.finish_batch(text, text, integer, bigint, bigint, uuid);

-- Says which events something else happens for, too.
drop function if exists daybook._write_events(daybook.stream_heads, jsonb, text);
