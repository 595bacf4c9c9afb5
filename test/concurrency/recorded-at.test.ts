import t from "tap";
import { testDatabase } from "../support/database.ts";
import { WAYS } from "./support/calls.ts";
import { logViolations } from "./support/log.ts";
import { sessions } from "./support/sessions.ts";

/* The clock of a server jumps back at times (a failover, a correction); recorded_at of a stream does not. */

const { url } = await testDatabase(t);
const { a } = await sessions(t, url, ["a"]);

const LAST = "select max(recorded_at) = $2 from daybook.events where stream_id = $1";

for (const way of WAYS) {
  t.test(`${way.name} records nothing before the last event of its stream`, async (t) => {
    const stream = `clock-${way.name}`;
    const { text, values } = way.call({ stream });
    await a.rows(text, values);
    // As if the clock had been an hour ahead until now.
    const ahead = await a.value<Date>(
      `update daybook.stream_heads set last_recorded_at = date_trunc('seconds', clock_timestamp()) + interval '1 hour'
        where stream_id = $1 returning last_recorded_at`,
      [stream],
    );
    await a.rows(text, values);
    t.ok(await a.value(LAST, [stream, ahead]), "the clock is behind");
    await a.rows(text, values);
    t.ok(await a.value(LAST, [stream, ahead]), "and still is");
    const other = way.call({ stream: `${stream}-other` });
    await a.rows(other.text, other.values);
    t.notOk(await a.value(LAST, [`${stream}-other`, ahead]), "other streams go by the clock");
    t.equal(
      await a.value("select count(*) from daybook.read_stream($1)", [stream]),
      await a.value("select daybook.stream_version($1)", [stream]),
      "all of it is read",
    );
  });

  t.test(`${way.name} to a stream whose last moment has no partition yet`, async (t) => {
    const stream = `far-${way.name}`;
    const { text, values } = way.call({ stream });
    await a.rows(text, values);
    await a.rows("update daybook.stream_heads set last_recorded_at = now() + interval '5 years' where stream_id = $1", [
      stream,
    ]);
    await a.rows(text, values);
    await a.rows(text, values);
    t.equal(
      await a.value("select count(*) from daybook.read_stream($1)", [stream]),
      await a.value("select daybook.stream_version($1)", [stream]),
    );
  });
}

t.test("the log is whole", async (t) => t.same(await logViolations(a), []));
