create or replace function daybook._invalid_consumer(kind text, name text, problems text[]) returns void
language plpgsql immutable
as $$
begin
  raise exception using
    errcode = 'YD502',
    message = format('%s %s cannot be: %s', _invalid_consumer.kind, coalesce(quote_literal(_invalid_consumer.name), 'null'), array_to_string(problems, '; ')),
    detail = jsonb_build_object('kind', _invalid_consumer.kind, 'name', _invalid_consumer.name, 'problems', problems),
    hint = format('See the comment of create_%s: \df+ daybook.create_%1$s in psql.', _invalid_consumer.kind);
end
$$;

comment on function daybook._invalid_consumer(text, text, text[]) is 'Raises YD502: a handler or route is not defined as it could be.';
