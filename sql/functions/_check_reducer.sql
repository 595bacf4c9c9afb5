create or replace function daybook._check_reducer(
  name text,
  function text,
  version integer,
  snapshot_every integer,
  initial jsonb,
  keep_snapshots integer,
  categories text[]
) returns text
language plpgsql stable
as $$
declare
  _function text := daybook._reducer_function(function);
  _problems text[] := array(
    select p.problem
      from (values
        (1, 'a reducer is named by 1 to 255 characters, none of them a control character or a dot', daybook._is_label(name) and name !~ '\.'),
        (2, 'the version of a reducer is a whole number from 1', version > 0),
        (3, 'snapshot_every is a number of events from 1, or null for no snapshots', coalesce(snapshot_every > 0, true)),
        (4, 'initial is a JSON value', initial is not null),
        (5, 'keep_snapshots is 1 to 1000', keep_snapshots between 1 and 1000),
        (6, 'categories are at least one name; null for all', categories is null or (cardinality(categories) > 0 and array_position(categories, null) is null)),
        (7, 'a temporary function is there for one session', _function !~ '^"?pg_(toast_)?temp_')
      ) p (place, problem, is_fine)
     where not coalesce(p.is_fine, false)
     order by p.place);
begin
  if cardinality(_problems) > 0 then
    raise exception using
      errcode = 'YD611',
      message = format('reducer %s cannot be: %s', coalesce(quote_literal(name), 'null'), array_to_string(_problems, '; ')),
      detail = jsonb_build_object('reducer', name, 'problems', _problems),
      hint = 'See the comment of create_reducer: \df+ daybook.create_reducer in psql.';
  end if;
  return _function;
end
$$;

comment on function daybook._check_reducer(text, text, integer, integer, jsonb, integer, text[]) is
  'Refuses reducers that cannot be: YD611. Returns the full name of the function.';
