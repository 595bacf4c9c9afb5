create or replace function daybook._count_handled(version daybook.projection_versions, handled integer, since timestamptz) returns void
language sql volatile
as $$
  update daybook.projection_versions v
     set handled = v.handled + _count_handled.handled,
         checked = case v.takes when 'typescript' then v.checked else least(v.checked + 1, 3) end,
         rate = case when _count_handled.handled = 0 then v.rate
                else 0.8 * coalesce(v.rate, r.rate) + 0.2 * r.rate end
    from (select _count_handled.handled / greatest(extract(epoch from clock_timestamp() - since), 0.000001)::double precision as rate) r
   where v.name = (_count_handled.version).name and v.version = (_count_handled.version).version
$$;

comment on function daybook._count_handled(daybook.projection_versions, integer, timestamptz) is 'Keeps count of the events of a version, and of their rate while it is at work.';
