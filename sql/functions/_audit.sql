create or replace function daybook._audit(action text, subject text, details jsonb default '{}') returns void
language plpgsql volatile
as $$
begin
  insert into daybook.audit_log (action, subject, details)
  values (_audit.action, _audit.subject, jsonb_strip_nulls(coalesce(_audit.details, '{}')));
  -- something may be due now: workers look again
  perform pg_notify('daybook', 'changed');
end
$$;

comment on function daybook._audit(text, text, jsonb) is 'Writes down what somebody did by hand: who (the role of the session), when, what, to which handler or route. Wakes the workers.';
