-- As with routes (_remake_routing): constants, and calls that refer to the functions of the versions. One at a time: two
-- would each leave out what the other has just made.
-- What an append of one event does, where it is one thing, is an SQL function: that is folded into the expression that calls it.
create or replace function daybook._remake_watching() returns void
language plpgsql volatile
as $$
declare
  _watching daybook.consumers[];
  _gate text;
  _is_routed boolean;
  _inline integer;
  _call text;
  _all text;
  _one text;
begin
  perform pg_advisory_xact_lock(1145196368, 0);
  _watching := array(
    select c
      from daybook.consumers c
     where c.kind = 'projection' and c.state = 'inline'
        or c.kind = 'route' and exists (select from daybook.outbox_routes r where r.name = c.name and not r.direct)
     order by c.kind, c.name);
  _gate := daybook._follows(_watching, '_watched');
  _is_routed := exists (select from unnest(_watching) c where c.kind = 'route');
  execute format(
    'create or replace function %s returns boolean language sql immutable parallel safe return %s',
    'daybook._watched(tenant_id text, category text, type text)', _gate);

  select count(*), min(daybook._apply_inline(v, i.since, 'event')),
         string_agg(
           case when daybook._follows(array[c], '_watched') = _gate then daybook._append_inline(v, i.since, 'events')
           else format(E'  _events := array(select e from unnest(events) e where %s);\n  if cardinality(_events) > 0 then\n  %s\n  end if;',
                       daybook._follows(array[c], 'e'), daybook._append_inline(v, i.since, '_events'))
           end, E'\n' order by v.name collate "C"),
         string_agg(format('  if %s then _nothing := %s; end if;', daybook._follows(array[c], 'event'), daybook._apply_inline(v, i.since, 'event')),
                    E'\n' order by v.name collate "C")
    into _inline, _call, _all, _one
    from daybook.projection_versions v
    join daybook.inline_projections i on i.name = v.name
    join unnest(_watching) c on c.kind = 'projection' and c.name = v.consumer
   where v.stage = 'live';

  execute format(
    'create or replace function %s returns bigint language plpgsql volatile as %L',
    'daybook._on_append(events daybook.event[])',
    concat_ws(E'\n', 'declare', '  _events daybook.event[];', '  _nothing boolean;', 'begin',
              case when _is_routed then '  perform daybook._write_outbox(events);' end, _all, '  return 0;', 'end'));
  execute format(
    'create or replace function %s returns bigint language %s volatile as %L',
    'daybook._on_append_one(event daybook.event)',
    case when _is_routed and _inline > 0 or _inline > 1 then 'plpgsql' else 'sql' end,
    case when _inline = 0 then 'select daybook._write_outbox(array[event])'
         when _inline = 1 and not _is_routed then format('select (%s)::integer::bigint', _call)
         else concat_ws(E'\n', 'declare', '  _nothing boolean;', 'begin',
                case when _is_routed then '  if daybook._routed(event.tenant_id, event.category, event.type) then perform daybook._write_outbox(array[event]); end if;' end,
                _one, '  return 0;', 'end')
    end);
end
$$;

comment on function daybook._remake_watching() is 'Makes _watched, _on_append and _on_append_one anew from the routes and the inline projections.';
