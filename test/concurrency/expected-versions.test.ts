import t from "tap";
import { testDatabase } from "../support/database.ts";
import { WAYS } from "./support/calls.ts";
import { logViolations } from "./support/log.ts";
import { endedOrBlocked, type Row, type Session, sessions, sqlState } from "./support/sessions.ts";

/* Two who have read the same version and append to it: one is first, the other is told. */

const { url } = await testDatabase(t);
const { a, b, monitor } = await sessions(t, url, ["a", "b", "monitor"]);

const CALLS = WAYS.filter(({ name }) => name !== "append_batch");

async function start(stream: string, fresh: boolean): Promise<number> {
  if (!fresh) await monitor.rows("select daybook.append_event($1, 'Tested')", [stream]);
  return fresh ? 0 : 1;
}

let streams = 0;
for (const first of CALLS) {
  for (const second of CALLS) {
    for (const fresh of [false, true]) {
      for (const end of ["commit", "rollback"]) {
        const what = `${fresh ? "a new stream" : "a stream"}, ${end}`;
        t.test(`${first.name} and ${second.name} expect the same version of ${what}`, async (t) => {
          streams += 1;
          const stream = `race-${streams}`;
          const expected = await start(stream, fresh);
          const winner = first.call({ stream, expected });
          await a.rows("begin");
          const [won] = await a.rows(winner.text, winner.values);
          const loser = second.call({ stream, expected });
          const losing = settle(b, loser.text, loser.values);
          t.equal(await endedOrBlocked(monitor, b, [a], losing), "blocked", "the second waits for the first");
          await a.rows(end);
          const { outcome, rows } = await losing;
          t.equal(outcome, end === "commit" ? "YD001" : "ok");
          if (end === "rollback") t.match(rows, [{ stream_version: Number, first_position: Number }]);
          const version = await monitor.value<number>("select daybook.stream_version($1)", [stream]);
          t.equal(version, end === "commit" ? won?.stream_version : rows[0]?.stream_version);
        });
      }
    }
  }
}

t.test("a batch is told at once", async (t) => {
  const way = WAYS.find(({ name }) => name === "append_batch");
  if (!way) throw new Error("no batch");
  const { text, values } = way.call({ stream: "batched-1", expected: 0 });
  t.match(await a.rows(text, values), [{ status: "appended", stream_version: 1 }]);
  t.match(await b.rows(text, values), [{ status: "failed", error: { code: "YD001" } }]);
});

t.test("the log is whole", async (t) => t.same(await logViolations(monitor), []));

function settle(session: Session, text: string, values: readonly unknown[]): Promise<{ outcome: string; rows: Row[] }> {
  return session.rows(text, values).then(
    (rows) => ({ outcome: "ok", rows }),
    (error: unknown) => ({ outcome: sqlState(error), rows: [] }),
  );
}
