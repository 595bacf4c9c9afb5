import type { Session } from "./sessions.ts";

/*
 * To try every interleaving of two sessions without a sleep, the functions of a test database are changed so that each
 * look at the sequence and at the locks, each registration and each drawing of a position has a gate before and behind
 * it. A session that opts in counts its gates and waits at those a controller has closed.
 */

const GATES = `
create schema gates;

create function gates.pass() returns void language plpgsql volatile set lock_timeout = 0 as $$
declare
  _gate integer;
begin
  if current_setting('gates.count', true) <> '' then
    _gate := current_setting('gates.count')::integer + 1;
    perform set_config('gates.count', _gate::text, false);
    perform pg_advisory_lock_shared(7007, _gate), pg_advisory_unlock_shared(7007, _gate);
  end if;
end $$;

create function gates.last_value(sequence regclass) returns bigint language plpgsql volatile as $$
declare
  _value bigint;
begin
  perform gates.pass();
  _value := pg_sequence_last_value(sequence);
  perform gates.pass();
  return _value;
end $$;

create function gates.next_value(sequence regclass) returns bigint language plpgsql volatile as $$
declare
  _value bigint;
begin
  perform gates.pass();
  _value := nextval(sequence);
  perform gates.pass();
  return _value;
end $$;

create function gates.lock_shared(a integer, b integer) returns void language plpgsql volatile as $$
begin
  perform gates.pass();
  perform pg_advisory_xact_lock_shared(a, b);
  perform gates.pass();
end $$;

create function gates.locks() returns setof pg_locks language plpgsql volatile as $$
begin
  perform gates.pass();
  return query select * from pg_locks;
  perform gates.pass();
end $$;

do $$
declare
  _old text;
  _new text;
begin
  for _old in
    select pg_get_functiondef(p.oid) from pg_proc p where p.pronamespace = 'daybook'::regnamespace and p.prosqlbody is null
  loop
    _new := regexp_replace(_old, '(pg_catalog\\.)?pg_sequence_last_value\\(', 'gates.last_value(', 'g');
    _new := regexp_replace(_new, '(pg_catalog\\.)?\\mnextval\\(', 'gates.next_value(', 'g');
    _new := regexp_replace(_new, '(pg_catalog\\.)?\\mpg_advisory_xact_lock_shared\\(', 'gates.lock_shared(', 'g');
    _new := regexp_replace(_new, '\\mfrom (pg_catalog\\.)?pg_locks\\M', 'from gates.locks()', 'g');
    if _new <> _old then
      execute _new;
    end if;
  end loop;
end $$;`;

/** Puts the gates into the functions of a database. */
export async function buildGates(session: Session): Promise<void> {
  await session.rows(GATES);
}

/** How many gates a query passes. */
export async function countGates(session: Session, query: () => Promise<unknown>): Promise<number> {
  await session.rows("select set_config('gates.count', '0', false)");
  await query();
  const count = await session.value<string>("select current_setting('gates.count')");
  await session.rows("select set_config('gates.count', '', false)");
  return Number(count);
}

/** What to do before a session passes the gate of that number, from 1; at 0 stands what to do before it sets out. */
export type Plan = ReadonlyMap<number, readonly (() => Promise<unknown>)[]>;

/** Runs a query of the walker, who is stopped at the gates of the plan while its steps are done there. */
export async function walk<T>(controller: Session, walker: Session, plan: Plan, query: () => Promise<T>): Promise<T> {
  for (const step of plan.get(0) ?? []) await step();
  const gates = [...plan.keys()].filter((gate) => gate > 0).sort((a, b) => a - b);
  for (const gate of gates) await controller.rows("select pg_advisory_lock(7007, $1)", [gate]);
  await walker.rows("select set_config('gates.count', '0', false)");
  let ended = false;
  const walking = query().finally(() => {
    ended = true;
  });
  // It is awaited below; until then a failure is nobody's.
  walking.catch(() => undefined);
  for (const gate of gates) {
    while (!ended && !(await waitsAt(controller, walker, gate)));
    for (const step of plan.get(gate) ?? []) await step();
    await controller.rows("select pg_advisory_unlock(7007, $1)", [gate]);
  }
  const result = await walking;
  await walker.rows("select set_config('gates.count', '', false)");
  return result;
}

function waitsAt(controller: Session, walker: Session, gate: number): Promise<boolean> {
  return controller.value<boolean>(
    "select exists (select from pg_locks where locktype = 'advisory' and classid = 7007 and objid = $1 and pid = $2 and not granted)",
    [gate, walker.pid],
  );
}
