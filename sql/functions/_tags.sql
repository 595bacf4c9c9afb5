create or replace function daybook._tags(tags jsonb) returns text[]
language plpgsql immutable parallel safe
as $$
begin
  if tags is null or tags in ('null', '[]') then
    return null;
  end if;
  return array(select distinct t.value collate "C" from jsonb_array_elements_text(tags) t order by 1);
end
$$;

comment on function daybook._tags(jsonb) is 'A JSON array of tags as they are stored: sorted, each once; none = null.';
