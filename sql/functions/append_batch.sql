-- Many independent appends of many callers in one transaction. It never waits for a stream that somebody else holds
-- (a caller of ours may hold it and be waiting for us: a deadlock that no database sees): such entries come back busy.
-- The ordinary ones go together, as sets; when that fails for any reason, and for the rest, each goes in a savepoint of
-- its own, so that one's failure is its own. A stream found busy stays so for the rest of the batch: no entry overtakes
-- an earlier one of its stream.
create or replace function daybook.append_batch(
  appends jsonb,
  tenant_id text default null
) returns table (
  entry integer, status text, stream_id text, stream_version bigint, first_position bigint, last_position bigint,
  duplicate boolean, error jsonb)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '5ms'
as $$
declare
  _tenant text := daybook._tenant(append_batch.tenant_id);
  _done daybook.batch_result[] := '{}';
  _one record;
  _result daybook.batch_result;
  _busy text[] := '{}';
begin
  perform daybook._check_appends(appends);
  perform daybook._register_append();

  begin
    _done := array(select r from daybook._append_set(appends, _tenant) r);
  exception
    when operator_intervention or insufficient_resources or system_error or internal_error then
      raise;
    when others then
      _done := '{}';
  end;

  if cardinality(_done) = jsonb_array_length(appends) then
    return query select d.* from unnest(_done) d order by d.entry;
    return;
  end if;

  for _one in
    select a.value, a.ordinality::integer - 1 as i, d as known,
           format('%s %s', coalesce(a.value ->> 'tenant_id', _tenant), a.value ->> 'stream_id') as stream
      from jsonb_array_elements(appends) with ordinality a
      left join unnest(_done) d on d.entry = a.ordinality - 1
     order by a.ordinality
  loop
    if (_one.known).entry is null then
      _result := daybook._append_entry(_one.value, _one.i, _tenant, _one.stream = any (_busy));
    else
      _result := _one.known;
    end if;
    if _result.status = 'busy' then
      _busy := _busy || _one.stream;
    end if;
    return query select (_result).*;
  end loop;
end
$$;

comment on function daybook.append_batch(jsonb, text) is
  'Many independent appends in one transaction, each with its own outcome: [{"stream_id", "events", "expected_version"?, "idempotency_key"?, "tenant_id"?}, …]. One row an entry: status appended, duplicate, failed (error = {code, message, detail, hint}) or busy (somebody else holds the stream: append it alone). Never waits for a stream.';
