create or replace function daybook._unknown_consumer(kind text, name text) returns void
language plpgsql immutable
as $$
begin
  if _unknown_consumer.kind = 'projection' then
    perform daybook._unknown_projection(_unknown_consumer.name);
  end if;
  raise exception using
    errcode = 'YD501',
    message = format('there is no %s %s', coalesce(_unknown_consumer.kind, 'consumer'), coalesce(quote_literal(_unknown_consumer.name), 'null')),
    detail = jsonb_build_object('kind', _unknown_consumer.kind, 'name', _unknown_consumer.name),
    hint = case _unknown_consumer.kind when 'route' then 'The view daybook.routes lists them; create_route makes one.'
           else 'The view daybook.handlers lists them; create_handler makes one.' end;
end
$$;

comment on function daybook._unknown_consumer(text, text) is 'Raises YD501: there is no handler or route of this name; YD601 for a projection.';
