import { registrations } from "../support/in-flight.ts";
import { logViolations } from "../support/log.ts";
import { random } from "../support/random.ts";
import { type Session, withSessions } from "../support/sessions.ts";
import type { Scenario } from "./scenario.ts";

const CHUNKS = 20;
/** Appends of one transaction to the same stream: each has all earlier versions of its row to pass. */
const PER_STREAM = 5;

// Each in a savepoint of its own, every third one rolled back.
const IN_SAVEPOINTS = `
do $$
declare
  _i integer;
begin
  for _i in 1 .. %COUNT loop
    begin
      perform daybook.append_event('big-' || _i % %STREAMS, 'Tested');
      if _i % 3 = 0 then
        raise exception using errcode = 'P0042';
      end if;
    exception when sqlstate 'P0042' then
      null;
    end;
  end loop;
end $$`;

/** Law 3: register once per transaction, or the lock table is exhausted. */
export const bigTransaction: Scenario = {
  name: "big-transaction",
  summary:
    "100,000 appends in one transaction, and a fifth of it in savepoints, with the default size of the lock table",
  unit: "appends",
  sizes: { test: 100_000, stress: 1_000_000 },
  needs: "database",
  run: ({ url, seed, size, note }) =>
    withSessions(url, async (open) => {
      const [session, other, monitor] = [await open(), await open(), await open()];
      const choices = random(seed);
      const violations: string[] = [];
      const locks = await monitor.value<string>("show max_locks_per_transaction");
      if (Number(locks) > 64) note(`max_locks_per_transaction is ${locks}: more than the default of 64`);
      const streams = Math.ceil(size / PER_STREAM);
      let most = 0;
      const look = async () => {
        most = Math.max(most, await registrations(monitor, session));
        // Somebody else moves the last value on.
        await other.rows("select daybook.append_event($1, 'Tested')", [`big-other-${choices.below(streams)}`]);
      };

      await session.rows("begin");
      const chunk = Math.ceil(size / CHUNKS);
      for (let i = 0; i < CHUNKS; i += 1) {
        const text =
          "select count(daybook.append_event('big-' || (i + $2) % $3, 'Tested')) from generate_series(1, $1) i";
        await session.rows(text, [chunk, choices.below(streams), streams]);
        await look();
      }
      await session.rows("commit");
      const plain = await count(monitor);
      if (plain !== chunk * CHUNKS + CHUNKS) violations.push(`${plain} events, not ${chunk * CHUNKS + CHUNKS}`);

      await session.rows("begin");
      const few = Math.ceil(chunk / 5);
      for (let i = 0; i < CHUNKS; i += 1) {
        await session.rows(IN_SAVEPOINTS.replace("%COUNT", String(few)).replace("%STREAMS", String(streams)));
        await look();
      }
      await session.rows("commit");
      const expected = plain + CHUNKS * (few - Math.floor(few / 3)) + CHUNKS;
      const all = await count(monitor);
      if (all !== expected) violations.push(`${all} events with those of savepoints, not ${expected}`);

      if (most > 2) violations.push(`${most} locks to be seen by readers, not 2 at most`);
      return { violations: [...violations, ...(await logViolations(monitor))], facts: { events: all, locks: most } };
    }),
};

function count(monitor: Session): Promise<number> {
  return monitor.value<number>("select count(*) from daybook.event_log");
}
