import type { Session } from "./sessions.ts";

// What must be true of every log, whatever has been done to it.
const RULES = `
with log as materialized (
  select l.*, lag(l.position) over s as position_before, lag(l.version) over s as version_before,
         lag(l.recorded_at) over s as recorded_before
    from daybook.event_log l
  window s as (partition by l.tenant_id, l.stream_key order by l.version, l.position)
), problems (problem, position) as (
  select 'a position is there twice', l.position from daybook.event_log l group by l.position having count(*) > 1
  union all
  select 'versions have a hole or a double', l.position from log l where l.version <> coalesce(l.version_before, 0) + 1
  union all
  select 'position order is not version order', l.position from log l where l.position < l.position_before
  union all
  select 'recorded_at runs backwards', l.position from log l where l.recorded_at < l.recorded_before
  union all
  select 'the stream row has another version', max(l.position)
    from daybook.stream_heads h
    left join daybook.event_log l on l.tenant_id = h.tenant_id and l.stream_key = h.stream_key
   group by h.tenant_id, h.stream_id, h.version
  having h.version <> count(l.position)
  union all
  select 'the stream row does not span its events', l.position
    from log l
    join daybook.stream_heads h on h.tenant_id = l.tenant_id and h.stream_key = l.stream_key
   where l.recorded_at not between h.first_recorded_at and h.last_recorded_at
  union all
  select 'an event without its stream', l.position
    from log l
   where not exists (select from daybook.stream_heads h where h.tenant_id = l.tenant_id and h.stream_key = l.stream_key)
  union all
  select 'an event behind the last position of a sealed partition', l.position
    from log l
    join daybook.event_partitions p on l.recorded_at >= p.range_from and l.recorded_at < p.range_to
   where l.position > p.last_position
  union all
  select 'a position beyond the sequence', l.position
    from log l
   where l.position > coalesce(pg_sequence_last_value('daybook.positions'), 0)
)
select p.problem || ', at position ' || coalesce(p.position::text, 'none') as problem from problems p order by p.position limit 20`;

/** Which rules the log breaks, with the position where it does: at most 20 lines. Nothing may be in flight. */
export function logViolations(session: Session): Promise<string[]> {
  return session.column<string>(RULES);
}

/** Where two lists of positions part, in a line each; both in ascending order. */
export function differences(who: string, seen: readonly number[], log: readonly number[]): string[] {
  const found: string[] = [];
  const unordered = seen.findIndex((position, i) => position <= (seen[i - 1] ?? 0));
  if (unordered >= 0) found.push(`${who} saw ${seen[unordered]} after ${seen[unordered - 1]}`);
  const seenSet = new Set(seen);
  const missed = log.filter((position) => !seenSet.has(position));
  if (missed.length > 0) found.push(`${who} missed ${missed.length} events: ${missed.slice(0, 10).join(", ")}`);
  const logSet = new Set(log);
  const invented = seen.filter((position) => !logSet.has(position));
  if (invented.length > 0)
    found.push(`${who} saw ${invented.length} that are not there: ${invented.slice(0, 10).join(", ")}`);
  return found;
}
