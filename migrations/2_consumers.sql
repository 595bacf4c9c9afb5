-- Whoever follows the log: handlers, and routes that send integration events out of the outbox. Both are consumers: a
-- position per shard that moves in the transaction of the effects, streams that are parked because one of their
-- messages failed, and messages that used up their tries.

create table daybook.consumers (
  kind text collate "C" not null check (kind in ('handler', 'route')),
  name text collate "C" not null,
  implementation text collate "C" not null,
  tenant_id text collate "C",
  state text collate "C" not null default 'running' check (state in ('running', 'paused', 'halted')),
  state_reason text,
  types text[] collate "C",
  categories text[] collate "C",
  shard_count integer not null default 1 check (shard_count between 1 and 128),
  wanted_shards integer not null default 1 check (wanted_shards between 1 and 128),
  on_failure text collate "C" not null default 'park' check (on_failure in ('halt', 'park', 'skip')),
  max_attempts integer not null default 5 check (max_attempts between 1 and 1000),
  base_delay interval not null default '1 second' check (base_delay > interval '0'),
  max_delay interval not null default '5 minutes' check (max_delay > interval '0'),
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  constraint consumers_pkey primary key (kind, name)
);

comment on table daybook.consumers is 'Handlers and routes, one row each: what they follow, whether they run, and what happens when a message fails. Read it through the views handlers and routes.';
comment on column daybook.consumers.kind is 'handler: code that follows the log; route: sends messages of the outbox to a transport.';
comment on column daybook.consumers.name is 'Its name, unique within its kind.';
comment on column daybook.consumers.implementation is 'Name of the code that runs it: its own, or another''s where it is a replay under a name of its own.';
comment on column daybook.consumers.tenant_id is 'The one tenant it is bound to; null = it follows every tenant with one position.';
comment on column daybook.consumers.state is 'running, paused (by a person), halted (by a failure; a person is needed).';
comment on column daybook.consumers.state_reason is 'Why it is in this state, where somebody said or something failed.';
comment on column daybook.consumers.types is 'Types of events it is given; null = all.';
comment on column daybook.consumers.categories is 'Categories it is given; null = all.';
comment on column daybook.consumers.shard_count is 'How many shards it runs in now, split by stream.';
comment on column daybook.consumers.wanted_shards is 'How many shards it is to run in: they change once all of them have come to the same position.';
comment on column daybook.consumers.on_failure is 'When a message has failed: halt = stay before it; park = its stream waits, others flow; skip = dead letter, go on.';
comment on column daybook.consumers.max_attempts is 'Tries of a message before a person is needed.';
comment on column daybook.consumers.base_delay is 'Delay before the second try; it doubles with each.';
comment on column daybook.consumers.max_delay is 'Longest delay between two tries.';
comment on column daybook.consumers.created_at is 'When it was created.';
comment on column daybook.consumers.changed_at is 'When its definition or state last changed.';
comment on index daybook.consumers_pkey is 'A name is unique within its kind.';

create table daybook.cursors (
  kind text collate "C" not null,
  name text collate "C" not null,
  shard integer not null check (shard >= 0),
  position bigint not null check (position >= 0),
  event_id uuid,
  attempts integer not null default 0,
  postponed integer not null default 0,
  failed_position bigint,
  retry_at timestamptz,
  last_error jsonb,
  moved_at timestamptz not null default now(),
  constraint cursors_pkey primary key (kind, name, shard)
) with (fillfactor = 50);

comment on table daybook.cursors is 'How far each shard of a consumer has come. Its row lock is what lets one process at a time run the shard.';
comment on column daybook.cursors.kind is 'Kind of the consumer.';
comment on column daybook.cursors.name is 'Name of the consumer.';
comment on column daybook.cursors.shard is 'Number of the shard, from 0.';
comment on column daybook.cursors.position is 'Everything up to here is done with, or belongs to a parked stream.';
comment on column daybook.cursors.event_id is 'Id of the last event or message that was done, null if none yet.';
comment on column daybook.cursors.attempts is 'Failed tries of the message at failed_position.';
comment on column daybook.cursors.postponed is 'How often in a row it had to wait because the other side took nothing; no message is at fault.';
comment on column daybook.cursors.failed_position is 'Position of the message that the shard stays before; null if none failed.';
comment on column daybook.cursors.retry_at is 'Not to be tried before this moment; null = at once.';
comment on column daybook.cursors.last_error is 'The last failure: {code, name, message, stack, position, event_id, at}.';
comment on column daybook.cursors.moved_at is 'When it last moved.';
comment on index daybook.cursors_pkey is 'One row a shard.';

create table daybook.parked_streams (
  tenant_id text collate "C" not null,
  kind text collate "C" not null,
  name text collate "C" not null,
  stream_id text collate "C" not null,
  stream_key bigint,
  shard integer not null,
  position bigint not null,
  attempts integer not null default 1,
  postponed integer not null default 0,
  retry_at timestamptz,
  error jsonb not null,
  parked_at timestamptz not null default now(),
  waits_since timestamptz not null default clock_timestamp(),
  constraint parked_streams_pkey primary key (tenant_id, kind, name, stream_id)
);

create index parked_streams_key on daybook.parked_streams (kind, name, stream_key);
create index parked_streams_due on daybook.parked_streams (kind, name, shard, retry_at);
create index parked_streams_since on daybook.parked_streams (kind, name, shard, waits_since);

comment on table daybook.parked_streams is 'Streams held back for one consumer because one of their messages failed. Later messages of the stream wait behind it, in order.';
comment on column daybook.parked_streams.tenant_id is 'Tenant of the stream.';
comment on column daybook.parked_streams.kind is 'Kind of the consumer.';
comment on column daybook.parked_streams.name is 'Name of the consumer.';
comment on column daybook.parked_streams.stream_id is 'The stream; of a message that was put into the outbox directly: its key.';
comment on column daybook.parked_streams.stream_key is 'Key of the stream in stream_heads; null for a route, whose streams are known by name.';
comment on column daybook.parked_streams.shard is 'Shard of the consumer that the stream belongs to.';
comment on column daybook.parked_streams.position is 'Position of the message that failed: the first that is not done.';
comment on column daybook.parked_streams.attempts is 'Its failed tries.';
comment on column daybook.parked_streams.postponed is 'How often in a row it had to wait because the other side took nothing: these are no failed tries.';
comment on column daybook.parked_streams.retry_at is 'When it is tried again; null = it has used up its tries, and a person is needed.';
comment on column daybook.parked_streams.error is 'Its last failure: {code, name, message, stack, position, event_id, at}.';
comment on column daybook.parked_streams.parked_at is 'Since when the stream waits.';
comment on column daybook.parked_streams.waits_since is 'When retry_at was set. Where that is still to come the clock has gone back, and the stream is due.';
comment on index daybook.parked_streams_pkey is 'A stream is parked once for a consumer.';
comment on index daybook.parked_streams_due is 'What is due.';
comment on index daybook.parked_streams_since is 'What is due because the clock has gone back.';
comment on index daybook.parked_streams_key is 'Leaving parked streams out while the log is read.';

create table daybook.dead_letters_log (
  dead_letter bigint generated always as identity,
  tenant_id text collate "C" not null,
  kind text collate "C" not null,
  name text collate "C" not null,
  stream_id text collate "C" not null,
  position bigint not null,
  event_id uuid not null,
  type text collate "C" not null,
  attempts integer not null,
  error jsonb not null,
  state text collate "C" not null default 'waiting' check (state in ('waiting', 'retrying', 'done', 'discarded', 'skipped')),
  state_reason text,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  constraint dead_letters_log_pkey primary key (tenant_id, dead_letter)
);

create unique index dead_letters_log_number on daybook.dead_letters_log (dead_letter, tenant_id);
create unique index dead_letters_log_message on daybook.dead_letters_log (tenant_id, kind, name, position) where state in ('waiting', 'retrying');

comment on table daybook.dead_letters_log is 'Messages that used up their tries. Read it through the view dead_letters.';
comment on column daybook.dead_letters_log.dead_letter is 'Its number.';
comment on column daybook.dead_letters_log.tenant_id is 'Tenant of the message.';
comment on column daybook.dead_letters_log.kind is 'Kind of the consumer it failed in.';
comment on column daybook.dead_letters_log.name is 'Name of the consumer it failed in.';
comment on column daybook.dead_letters_log.stream_id is 'Its stream, or its key.';
comment on column daybook.dead_letters_log.position is 'Its position.';
comment on column daybook.dead_letters_log.event_id is 'Id of the event or message.';
comment on column daybook.dead_letters_log.type is 'Its type.';
comment on column daybook.dead_letters_log.attempts is 'How often it failed.';
comment on column daybook.dead_letters_log.error is 'Its last failure: {code, name, message, stack, position, event_id, at}.';
comment on column daybook.dead_letters_log.state is 'waiting (for a person; its stream waits too), retrying (a person said so), done (a later try succeeded), discarded (by a person), skipped (the consumer went on without it).';
comment on column daybook.dead_letters_log.state_reason is 'What the person said.';
comment on column daybook.dead_letters_log.created_at is 'When it used up its tries.';
comment on column daybook.dead_letters_log.changed_at is 'When its state last changed.';
comment on sequence daybook.dead_letters_log_dead_letter_seq is 'Numbers of dead letters.';
comment on index daybook.dead_letters_log_pkey is 'Numbers belong to tenants.';
comment on index daybook.dead_letters_log_number is 'Finding one by its number.';
comment on index daybook.dead_letters_log_message is 'A message is once a dead letter of a consumer as long as it is open.';

create table daybook.audit_log (
  entry bigint generated always as identity,
  at timestamptz not null default clock_timestamp(),
  role name not null default session_user,
  action text collate "C" not null,
  subject text collate "C" not null,
  details jsonb not null default '{}',
  constraint audit_log_pkey primary key (entry)
);

comment on table daybook.audit_log is 'What people did by hand: pauses, resets, replays, retries, discards. Read it through the view audit.';
comment on column daybook.audit_log.entry is 'Its number.';
comment on column daybook.audit_log.at is 'When.';
comment on column daybook.audit_log.role is 'Who: the database role of the session.';
comment on column daybook.audit_log.action is 'Name of the function.';
comment on column daybook.audit_log.subject is 'Kind and name of what it was done to: handler audit-trail.';
comment on column daybook.audit_log.details is 'Arguments and outcome.';
comment on sequence daybook.audit_log_entry_seq is 'Numbers of entries.';
comment on index daybook.audit_log_pkey is 'In the order of what happened.';

create table daybook.outbox_routes (
  name text collate "C" not null,
  transport text collate "C" not null,
  topic text collate "C" not null,
  public_name text collate "C",
  public_version integer not null default 1 check (public_version > 0),
  mapping text,
  mode text collate "C" not null default 'on' check (mode in ('on', 'shadow')),
  direct boolean not null default false,
  constraint outbox_routes_pkey primary key (name)
);

comment on table daybook.outbox_routes is 'What a route adds to its consumer: where messages go and in which public shape. Read it through the view routes.';
comment on column daybook.outbox_routes.name is 'Name of the route, that of its consumer.';
comment on column daybook.outbox_routes.transport is 'Name of the transport the worker was given.';
comment on column daybook.outbox_routes.topic is 'Topic, exchange key, URL path or queue within the transport; {category}, {type}, {tenant} and {stream} are filled in.';
comment on column daybook.outbox_routes.public_name is 'Name of the integration event; null = the type of the event.';
comment on column daybook.outbox_routes.public_version is 'Version of its public shape.';
comment on column daybook.outbox_routes.mapping is 'schema.function(daybook.event), which makes the public payload (null = this event is not sent); null = the data as it is.';
comment on column daybook.outbox_routes.mode is 'on, or shadow: written and counted, not sent.';
comment on column daybook.outbox_routes.direct is 'Takes messages put into the outbox directly, and no events.';
comment on index daybook.outbox_routes_pkey is 'One row a route.';

create table daybook.outbox_log (
  position bigint not null,
  tenant_id text collate "C" not null,
  route text collate "C" not null,
  message_id uuid not null,
  stream_id text collate "C" not null,
  version bigint,
  topic text collate "C" not null,
  type text collate "C" not null,
  type_version integer not null,
  data jsonb not null,
  metadata jsonb,
  correlation_id uuid,
  causation_id uuid,
  occurred_at timestamptz not null,
  written_at timestamptz not null default clock_timestamp(),
  constraint outbox_log_pkey primary key (route, position, tenant_id)
);

create index outbox_log_tenant on daybook.outbox_log (tenant_id, stream_id, position);

comment on table daybook.outbox_log is 'Integration events, in their public shape, one row a route. A route is a position in it. Read it through the view outbox.';
comment on column daybook.outbox_log.position is 'That of the event; of a message put in directly: its own, drawn from the same sequence.';
comment on column daybook.outbox_log.tenant_id is 'Tenant of the message.';
comment on column daybook.outbox_log.route is 'Route it goes by.';
comment on column daybook.outbox_log.message_id is 'Stable identity, the same for every delivery: that of the event, or one made for the message.';
comment on column daybook.outbox_log.stream_id is 'The stream of the event, or the key of the message: what is kept in order.';
comment on column daybook.outbox_log.version is 'Version of the event in its stream; null for a message put in directly.';
comment on column daybook.outbox_log.topic is 'Where it goes within the transport.';
comment on column daybook.outbox_log.type is 'Public name.';
comment on column daybook.outbox_log.type_version is 'Version of the public shape.';
comment on column daybook.outbox_log.data is 'Public payload.';
comment on column daybook.outbox_log.metadata is 'What goes along with it; null = nothing.';
comment on column daybook.outbox_log.correlation_id is 'The logical operation it belongs to.';
comment on column daybook.outbox_log.causation_id is 'What triggered it, as the event or the caller has it.';
comment on column daybook.outbox_log.occurred_at is 'When it happened.';
comment on column daybook.outbox_log.written_at is 'When it was put into the outbox.';
comment on index daybook.outbox_log_pkey is 'A route following the outbox.';
comment on index daybook.outbox_log_tenant is 'Messages of one tenant and stream.';

create table daybook.processed_messages (
  tenant_id text collate "C" not null,
  consumer text collate "C" not null,
  message_id text collate "C" not null,
  processed_at timestamptz not null default now(),
  constraint processed_messages_pkey primary key (tenant_id, consumer, message_id)
);

create index processed_messages_at on daybook.processed_messages (processed_at);

comment on table daybook.processed_messages is 'What consumers of messages have done already: the effect and this row commit together, so a message delivered twice is processed once.';
comment on column daybook.processed_messages.tenant_id is 'Tenant of the message.';
comment on column daybook.processed_messages.consumer is 'Name of the consumer.';
comment on column daybook.processed_messages.message_id is 'Identity of the message.';
comment on column daybook.processed_messages.processed_at is 'When.';
comment on index daybook.processed_messages_pkey is 'Once for each consumer.';
comment on index daybook.processed_messages_at is 'Forgetting old ones.';

create table daybook.workers (
  worker text collate "C" not null,
  lock_key integer not null,
  host text not null,
  pid integer not null,
  started_at timestamptz not null default now(),
  constraint workers_pkey primary key (worker)
);

comment on table daybook.workers is 'Worker processes. Each holds a session lock on its lock_key: where the lock is gone the process is dead, and its jobs are released. Whether it lives is in the view workers_alive.';
comment on column daybook.workers.worker is 'Id of its pool of graphile-worker, under which jobs are locked.';
comment on column daybook.workers.lock_key is 'Second number of its advisory lock (the first is 1145196367).';
comment on column daybook.workers.host is 'Name of the machine.';
comment on column daybook.workers.pid is 'Process id there.';
comment on column daybook.workers.started_at is 'Since when.';
comment on index daybook.workers_pkey is 'One row a process.';

alter table daybook.settings
  add column outbox_retention interval not null default '7 days' check (outbox_retention >= interval '0'),
  add column processed_retention interval not null default '30 days' check (processed_retention > interval '0');
comment on column daybook.settings.outbox_retention is 'How long a message stays in the outbox, at least, from when it was written; one that is not delivered stays longer.';
comment on column daybook.settings.processed_retention is 'How long process_once remembers a message: longer than any broker may keep one before it delivers it again.';

create type daybook.message as (
  position bigint,
  tenant_id text,
  route text,
  message_id uuid,
  stream_id text,
  version bigint,
  topic text,
  type text,
  type_version integer,
  data jsonb,
  metadata jsonb,
  correlation_id uuid,
  causation_id uuid,
  occurred_at timestamptz,
  written_at timestamptz
);
comment on type daybook.message is 'An integration event as it is read from the outbox: the columns of outbox_log.';
comment on column daybook.message."position" is 'That of the event; of a message put in directly: its own, drawn from the same sequence.';
comment on column daybook.message.tenant_id is 'Tenant of the message.';
comment on column daybook.message.route is 'Route it goes by.';
comment on column daybook.message.message_id is 'Stable identity, the same for every delivery: that of the event, or one made for the message.';
comment on column daybook.message.stream_id is 'The stream of the event, or the key of the message: what is kept in order.';
comment on column daybook.message.version is 'Version of the event in its stream; null for a message put in directly.';
comment on column daybook.message.topic is 'Where it goes within the transport.';
comment on column daybook.message.type is 'Public name.';
comment on column daybook.message.type_version is 'Version of the public shape.';
comment on column daybook.message.data is 'Public payload, a JSON object.';
comment on column daybook.message.metadata is 'What goes along with it, a JSON object; {} if nothing.';
comment on column daybook.message.correlation_id is 'The logical operation it belongs to.';
comment on column daybook.message.causation_id is 'What triggered it, as the event or the caller has it.';
comment on column daybook.message.occurred_at is 'When it happened.';
comment on column daybook.message.written_at is 'When it was put into the outbox.';

create table daybook.outbox_leases (
  tenant_id text collate "C" not null,
  route text collate "C" not null,
  stream_id text collate "C" not null,
  position bigint not null,
  token uuid,
  leased_by text,
  attempts integer not null default 0,
  due_at timestamptz not null default '-infinity',
  leased_at timestamptz,
  error jsonb,
  constraint outbox_leases_pkey primary key (tenant_id, route, stream_id)
) with (fillfactor = 50);

create index outbox_leases_due on daybook.outbox_leases (route, due_at);
create index outbox_leases_since on daybook.outbox_leases (route, leased_at);
create index outbox_leases_token on daybook.outbox_leases (token) where token is not null;

comment on table daybook.outbox_leases is 'Streams that somebody who receives from a route in SQL is at work on, or was before the route''s position moved past them: one row a stream, which keeps its order.';
comment on column daybook.outbox_leases.tenant_id is 'Tenant of the stream.';
comment on column daybook.outbox_leases.route is 'The route.';
comment on column daybook.outbox_leases.stream_id is 'The stream, or the key of messages put in directly.';
comment on column daybook.outbox_leases.position is 'The first of its messages that is not done.';
comment on column daybook.outbox_leases.token is 'What ack and nack name; null while nobody has the message.';
comment on column daybook.outbox_leases.leased_by is 'Who has it, or had it last, where the receiver said so.';
comment on column daybook.outbox_leases.attempts is 'How often the message at position has been handed out since it became its turn, or since a person retried it.';
comment on column daybook.outbox_leases.due_at is 'End of the lease, or of the delay before the next try.';
comment on column daybook.outbox_leases.leased_at is 'When it was last handed out. Where that is still to come the clock has gone back, and it is due.';
comment on column daybook.outbox_leases.error is 'Its last failure: {code, message, position, event_id, at}.';
comment on index daybook.outbox_leases_pkey is 'A stream is with one receiver at a time.';
comment on index daybook.outbox_leases_token is 'Finding the one that ack and nack name.';
comment on index daybook.outbox_leases_due is 'What can be handed out.';
comment on index daybook.outbox_leases_since is 'What can be handed out because the clock has gone back.';

-- What appends ask of the routes: constants, made anew by create_route and drop_route and folded into the plans of
-- appends, as reading tables for it would cost each append.
create function daybook._routed(tenant_id text, category text, type text) returns boolean language sql immutable parallel safe return false;
comment on function daybook._routed(text, text, text) is 'Whether an event may go by any route. Made anew by create_route and drop_route.';
create type daybook.route_rule as (
  name text,
  tenant_id text,
  types text[],
  categories text[],
  topic text,
  public_name text,
  public_version integer,
  mapped boolean,
  direct boolean
);
comment on type daybook.route_rule is 'A route as the writing of the outbox needs it.';
comment on column daybook.route_rule.name is 'Its name.';
comment on column daybook.route_rule.tenant_id is 'The one tenant it is bound to; null = none.';
comment on column daybook.route_rule.types is 'Types of events it takes; null = all.';
comment on column daybook.route_rule.categories is 'Categories it takes; null = all.';
comment on column daybook.route_rule.topic is 'A pattern for format(topic, category, type, tenant, stream).';
comment on column daybook.route_rule.public_name is 'Name of the integration event; null = the type of the event.';
comment on column daybook.route_rule.public_version is 'Version of its public shape.';
comment on column daybook.route_rule.mapped is 'Whether it has a mapping function.';
comment on column daybook.route_rule.direct is 'Whether it takes messages put in directly, and no events.';
create function daybook._routes() returns daybook.route_rule[] language sql immutable parallel safe return '{}'::daybook.route_rule[];
comment on function daybook._routes() is 'The routes as a constant. Made anew by create_route and drop_route.';
create function daybook._mapping(route text, event daybook.event) returns jsonb language sql volatile return null::jsonb;
comment on function daybook._mapping(text, daybook.event) is 'Calls the mapping function of a route. Made anew by create_route and drop_route; it refers to the functions themselves, so that none of them can be dropped while it is in use.';
