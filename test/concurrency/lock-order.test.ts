import t from "tap";
import { testDatabase } from "../support/database.ts";
import { appendStreams } from "./support/calls.ts";
import { appendTo } from "./support/in-flight.ts";
import { endedOrBlocked, endsAlone, sessions } from "./support/sessions.ts";

/*
 * append_streams locks streams in the order of their names, whatever order they are given in: while it waits for one
 * it holds none of those behind it. That is why two of them never wait for each other.
 */

const { url } = await testDatabase(t);
const { holder, a, b, monitor } = await sessions(t, url, ["holder", "a", "b", "monitor"]);
// A test that fails in the middle leaves the next ones nothing to wait for.
t.afterEach(() => Promise.all([holder, a, b].map((session) => session.rows("rollback"))));
// In the order of their bytes: a language's order would have it otherwise.
const names = ["order-1", "order-Z", "order-a", "order-é"];

for (const existing of [true, false]) {
  for (const [i, held] of names.entries()) {
    t.test(
      `waiting for ${existing ? "" : "new "}${held} it holds the streams before it and none behind it`,
      async (t) => {
        const prefix = existing ? "" : `new-${i}-`;
        if (existing) for (const name of names) await appendTo(monitor, name);
        await holder.rows("begin");
        await appendTo(holder, prefix + held);
        const given = names.map((name) => ({ stream: prefix + name })).reverse();
        const { text, values } = appendStreams(...given);
        const waiting = a.rows(text, values);
        t.equal(await endedOrBlocked(monitor, a, [holder], waiting), "blocked");
        for (const behind of names.slice(i + 1)) {
          const append = b.outcome("select daybook.append_event($1, 'Tested')", [prefix + behind]);
          t.ok(await endsAlone(monitor, b, [holder, a], append), `${behind} is free`);
          t.equal(await append, "ok");
        }
        await holder.rows("commit");
        t.equal((await waiting).length, names.length);
      },
    );
  }
}

t.test("two who name the same streams in opposite order do not deadlock", async (t) => {
  for (let i = 0; i < 50; i += 1) {
    const one = appendStreams({ stream: `cross-${i}-a` }, { stream: `cross-${i}-b` });
    const two = appendStreams({ stream: `cross-${i}-b` }, { stream: `cross-${i}-a` });
    t.same(await Promise.all([a.outcome(one.text, one.values), b.outcome(two.text, two.values)]), ["ok", "ok"]);
  }
});
