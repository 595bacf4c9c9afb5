create or replace function daybook._unknown_projection(name text) returns void
language plpgsql immutable
as $$
begin
  raise exception using
    errcode = 'YD601',
    message = format('there is no projection %s', coalesce(quote_literal(_unknown_projection.name), 'null')),
    detail = jsonb_build_object('projection', _unknown_projection.name),
    hint = 'The view daybook.projections lists them; create_projection makes one.';
end
$$;

comment on function daybook._unknown_projection(text) is 'Raises YD601: there is no projection of this name.';
