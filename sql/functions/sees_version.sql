-- A view is switched for everybody at once; rows that were written behind a snapshot are not in it. So a snapshot that does not
-- see the version as the live one sees only a part of its rows.
create or replace function daybook.sees_version(projection text, version integer) returns boolean
language plpgsql stable parallel safe security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (
       select from daybook.projection_versions v
        where v.name = sees_version.projection and v.version = sees_version.version and v.stage = 'live') then
    raise exception using
      errcode = '40001',
      message = format('this snapshot is older than version %s of projection %s, which readers see now', version, quote_literal(projection)),
      detail = jsonb_build_object('projection', projection, 'version', version),
      hint = 'Begin the transaction again.';
  end if;
  return true;
end
$$;

comment on function daybook.sees_version(text, integer) is
  'Asked by the views of projections, in transactions with one snapshot: true where the snapshot sees this version as the live one, so that it has all of its rows. Raises 40001 for one that is older than the switch to it.';
