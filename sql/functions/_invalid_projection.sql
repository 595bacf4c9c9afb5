create or replace function daybook._invalid_projection(name text, problems text[]) returns void
language plpgsql immutable
as $$
begin
  raise exception using
    errcode = 'YD602',
    message = format('projection %s cannot be: %s', coalesce(quote_literal(_invalid_projection.name), 'null'), array_to_string(problems, '; ')),
    detail = jsonb_build_object('projection', _invalid_projection.name, 'problems', problems),
    hint = 'Nothing was changed. An apply function is schema.function(event daybook.event) or schema.function(events daybook.event[]), returns void, in SQL or PL/pgSQL with a body that is a string; tables are {"name": "columns as in create table"}.';
end
$$;

comment on function daybook._invalid_projection(text, text[]) is 'Raises YD602: a projection is not defined as it could be.';
