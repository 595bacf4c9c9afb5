import t from "tap";
import { testDatabase } from "../support/database.ts";
import { appendTo, horizon, lastValue, readAll } from "./support/in-flight.ts";
import { openSession, sessions } from "./support/sessions.ts";

/* Two-phase commit: a prepared transaction has no session any more, and may stay for long. */

const { url, name } = await testDatabase(t);
const { b, reader } = await sessions(t, url, ["b", "reader"]);
const ready = (await reader.value<string>("show max_prepared_transactions")) !== "0";

for (const end of ["commit prepared", "rollback prepared"]) {
  for (const appends of [1, 3]) {
    t.test(
      `an append that is prepared holds the horizon until ${end} (${appends} appends)`,
      { skip: ready ? false : "the server has max_prepared_transactions = 0" },
      async (t) => {
        const before = await lastValue(reader);
        const a = await openSession(url);
        const id = `'${name}'`;
        await a.rows("begin");
        const positions: number[] = [];
        for (let i = 0; i < appends; i += 1) positions.push(await appendTo(a, "prepared-a"));
        await a.rows(`prepare transaction ${id}`);
        const later = await appendTo(b, "prepared-b");
        t.equal(await horizon(reader), before);
        t.same(await readAll(reader, before), []);
        await a.end();
        t.equal(await horizon(reader), before, "its session has ended");
        await b.rows(`${end} ${id}`);
        t.equal(await horizon(reader), later);
        t.same(await readAll(reader, before), end === "commit prepared" ? [...positions, later] : [later]);
      },
    );
  }
}
