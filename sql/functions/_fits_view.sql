create or replace function daybook._fits_view(view regclass, "table" regclass) returns boolean
language sql stable
as $$
  select not exists (
    select from pg_attribute v
     where v.attrelid = _fits_view.view and v.attnum > 0
       and not exists (
         select from (select a.*, row_number() over (order by a.attnum) as place
                        from pg_attribute a where a.attrelid = _fits_view."table" and a.attnum > 0 and not a.attisdropped) t
          where t.place = v.attnum and t.attname = v.attname and t.atttypid = v.atttypid and t.atttypmod = v.atttypmod
            and t.attcollation = v.attcollation))
$$;

comment on function daybook._fits_view(regclass, regclass) is 'Whether a table begins with the columns of a view, so that the view can show it and stay what it is to whatever rests on it.';
