create or replace function daybook.configure(setting text, value text) returns daybook.settings
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _settings daybook.settings;
begin
  if setting is null or setting not in ('max_event_bytes', 'max_events', 'idempotency_retention', 'partitions_ahead', 'outbox_retention', 'processed_retention') then
    raise exception using
      errcode = 'YD108',
      message = format('there is no setting %s', quote_literal(setting)),
      detail = jsonb_build_object('argument', 'setting', 'value', setting),
      hint = 'Settings are max_event_bytes, max_events, idempotency_retention, partitions_ahead, outbox_retention and processed_retention.';
  end if;

  begin
    execute format('update daybook.settings set %I = %L returning *', setting, value) into _settings;
  exception when check_violation or not_null_violation or data_exception then
    raise exception using
      errcode = 'YD108',
      message = format('%s is no value for %s', coalesce(quote_literal(value), 'null'), setting),
      detail = jsonb_build_object('argument', 'value', 'setting', setting, 'value', value, 'reason', sqlerrm),
      hint = 'See the comments: select daybook.settings, or \d+ daybook.settings in psql.';
  end;
  perform daybook._set_constant('_max_event_bytes', 'integer', _settings.max_event_bytes::text);
  perform daybook._set_constant('_max_events', 'integer', _settings.max_events::text);
  return _settings;
end
$$;

comment on function daybook.configure(text, text) is 'Sets one setting of the store and returns them all: select daybook.configure(''max_event_bytes'', ''4194304'').';
