create or replace function daybook._append_inline(version daybook.projection_versions, since bigint, events text) returns text
language sql stable
as $$
  select format(
    '  begin _nothing := %s; exception when others or assert_failure then perform daybook._refuse_append(%L, %s, sqlstate, sqlerrm); raise; end;',
    daybook._apply_inline(version, _append_inline.since, _append_inline.events), (version).name, _append_inline.events)
$$;

comment on function daybook._append_inline(daybook.projection_versions, bigint, text) is 'The statement by which an append gives several events to an inline projection. Raises YD607 where that fails.';
