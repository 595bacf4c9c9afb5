create or replace function daybook._forget_outdated_snapshots(max_count integer default 10000) returns bigint
language plpgsql volatile
as $$
declare
  _count bigint;
begin
  with recursive kinds as (
    (select s.source, s.reducer, s.reducer_version from daybook.snapshots_log s order by 1, 2, 3 limit 1)
    union all
    select n.* from kinds k cross join lateral (
      select s.source, s.reducer, s.reducer_version
        from daybook.snapshots_log s
       where (s.source, s.reducer, s.reducer_version) > (k.source, k.reducer, k.reducer_version)
       order by 1, 2, 3
       limit 1) n
  ), outdated as (
    select k.source, k.reducer, k.reducer_version,
           case k.source when 'sql' then 'infinity'::timestamptz else clock_timestamp() - interval '7 days' end as taken_before
      from kinds k
     where case k.source
             when 'sql' then not exists (select from daybook.reducer_definitions r where r.name = k.reducer and r.version = k.reducer_version)
             else exists (select from kinds n where n.source = k.source and n.reducer = k.reducer and n.reducer_version > k.reducer_version)
           end
  )
  delete from daybook.snapshots_log s
   where s.ctid = any (array(
     select o.ctid
       from outdated d
       join daybook.snapshots_log o on o.source = d.source and o.reducer = d.reducer and o.reducer_version = d.reducer_version and o.taken_at < d.taken_before
      limit max_count
        for update of o skip locked));
  get diagnostics _count = row_count;
  return _count;
end
$$;

comment on function daybook._forget_outdated_snapshots(integer) is
  'Deletes up to max_count snapshots of reducer versions that are not used any more: of reducers in SQL those of any but the current version, of others those over a week old of which there are snapshots of a higher version.';
