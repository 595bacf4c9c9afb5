create or replace function daybook._set_inline(projection text, version integer, is_inline boolean) returns void
language plpgsql volatile
as $$
begin
  -- of an older snapshot, what others have made since would be left out
  perform daybook._settled(0);
  delete from daybook.inline_projections p where p.name = _set_inline.projection;
  if is_inline then
    insert into daybook.inline_projections (name, version, since)
    values (_set_inline.projection, _set_inline.version, pg_current_xact_id()::text::bigint);
    update daybook.consumers k set state = 'inline', state_reason = null, changed_at = now() where k.kind = 'projection' and k.name = _set_inline.projection;
  end if;
  perform daybook._remake_watching();
end
$$;

comment on function daybook._set_inline(text, integer, boolean) is
  'Has appends apply their events to a version of a projection, or to none, from here on. While appends are held up (_gate_appends).';
