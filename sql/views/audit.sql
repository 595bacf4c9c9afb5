create or replace view daybook.audit with (security_invoker = true) as
select a.entry, a.at, a.role, a.action, a.subject, a.details
  from daybook.audit_log a
 order by a.entry;

comment on view daybook.audit is 'What people did by hand, in order: who, when, what.';
comment on column daybook.audit.entry is 'Its number.';
comment on column daybook.audit.at is 'When.';
comment on column daybook.audit.role is 'Who: the database role of the session.';
comment on column daybook.audit.action is 'Name of the function.';
comment on column daybook.audit.subject is 'Kind and name of what it was done to.';
comment on column daybook.audit.details is 'Arguments and outcome.';
