-- In a savepoint of its own each time: what fails leaves nothing. A batch function says nothing of which event it was, so the
-- batch is halved until that one stands alone.
create or replace function daybook._apply_some(version daybook.projection_versions, events daybook.event[], out done integer, out error jsonb) returns record
language plpgsql volatile
as $$
declare
  _call text := format('select daybook_doors.%I($1)', version.schema_name);
  _left integer := cardinality(events);
  _take integer := _left;
  _before jsonb := case when version.checked < 3 then (select coalesce(jsonb_object_agg(w.relation, w.written), '{}') from daybook._written_elsewhere(version.schema_name) w) end;
  _message text;
  _detail text;
  _hint text;
  _context text;
begin
  done := 0;
  while done < _left loop
    begin
      execute _call using events[done + 1 : done + _take];
      perform daybook._check_written(version, _before);
      done := done + _take;
      _take := least(_take, _left - done);
    exception
      when transaction_rollback or operator_intervention or insufficient_resources or system_error or lock_not_available then
        raise;
      when others or assert_failure then
        get stacked diagnostics _message = message_text, _detail = pg_exception_detail, _hint = pg_exception_hint, _context = pg_exception_context;
        error := jsonb_strip_nulls(jsonb_build_object(
          'code', sqlstate, 'message', _message, 'detail', nullif(_detail, ''), 'hint', nullif(_hint, ''), 'stack', nullif(_context, '')));
        if _take = 1 or error ->> 'code' = 'YD608' then
          error := daybook._own_tables_only(version.name, error);
          return;
        end if;
        error := null;
        _take := (_take + 1) / 2;
    end;
  end loop;
end
$$;

comment on function daybook._apply_some(daybook.projection_versions, daybook.event[]) is
  'Gives events to the apply function of a version. Returns how many are done, and what failed on the one behind them, if one did. What says "do it again" (40, 55P03) or "the server is in trouble" (53, 57, 58) is raised.';
