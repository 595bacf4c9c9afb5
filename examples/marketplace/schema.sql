-- What the handlers of the marketplace write. Each row is written in the transaction that moves the handler on.
create schema if not exists marketplace;

create table if not exists marketplace.audit_trail (
  tenant_id text not null,
  event_id uuid not null,
  position bigint not null,
  stream_id text not null,
  type text not null,
  actor text,
  occurred_at timestamptz not null,
  data jsonb not null,
  primary key (tenant_id, event_id)
);
comment on table marketplace.audit_trail is 'Every event, once.';

create table if not exists marketplace.notifications (
  tenant_id text not null,
  event_id uuid not null,
  recipient text not null,
  template text not null,
  fields jsonb not null,
  primary key (tenant_id, event_id, recipient)
);
comment on table marketplace.notifications is 'Letters to be sent: one for each event and recipient.';

create table if not exists marketplace.daily_figures (
  tenant_id text not null,
  day date not null,
  calls_completed bigint not null default 0,
  call_seconds bigint not null default 0,
  bids_placed bigint not null default 0,
  bid_cents bigint not null default 0,
  transactions bigint not null default 0,
  transaction_cents bigint not null default 0,
  primary key (tenant_id, day)
);
comment on table marketplace.daily_figures is 'What happened on each day (UTC).';

create table if not exists marketplace.consents (
  tenant_id text not null,
  phone text not null,
  granted boolean not null,
  primary key (tenant_id, phone)
);
comment on table marketplace.consents is 'Who may be called.';
