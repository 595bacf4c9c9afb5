create or replace function daybook._apply_inline(version daybook.projection_versions, since bigint, events text) returns text
language sql immutable
as $$
  select format(
    'case when %s then daybook_doors.%I(%s) is null end',
    concat_ws(' or ',
      case when not (version).serialize then 'current_setting(''transaction_isolation'') = ''read committed''' end,
      format('daybook._take_turn(%L, %s, %L)', (version).name, _apply_inline.since, (version).serialize)),
    (version).schema_name, _apply_inline.events)
$$;

comment on function daybook._apply_inline(daybook.projection_versions, bigint, text) is 'The expression by which an append gives events, or one event (an expression), to an inline projection. Never null.';
