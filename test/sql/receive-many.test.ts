import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { openSession } from "../concurrency/support/sessions.ts";
import { testDatabase } from "../support/database.ts";
import { column, connect, rows, value } from "./support.ts";

/*
 * Several receivers, who are killed, forget what they have, refuse it, or do it, while others append. Each effect is a
 * row written in the transaction of its ack: whatever happened, each message has one, in order within its stream.
 */

t.setTimeout(120_000);
const seed = Number(process.env.DAYBOOK_SEED ?? 20261121);
const database = await testDatabase(t);
const db = await connect(t, database.url);
await db.query(`
  select daybook.create_route('work', 'postgres', categories => '{work}', max_attempts => 1000, base_delay => '1 ms', max_delay => '5 ms');
  create table effects (done bigserial, position bigint, stream_id text, receiver text);`);

/** Numbers from 0 to below n, the same for the same seed. */
function randomly(from: number): (n: number) => number {
  let state = from;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

const until = Date.now() + 4000;

async function writer(id: number): Promise<void> {
  const random = randomly(seed + id);
  const session = await openSession(database.url);
  while (Date.now() < until) {
    await session.rows("begin");
    for (let i = random(3); i >= 0; i -= 1)
      await session.rows("select daybook.append_event($1, 'T')", [`work-${id}-${random(5)}`]);
    await sleep(random(4));
    await session.rows(random(5) === 0 ? "rollback" : "commit");
  }
  await session.end();
}

/** One life of a receiver; it may end anywhere. */
async function life(name: string, random: (n: number) => number, empty: { rounds: number }): Promise<void> {
  const session = await openSession(database.url);
  try {
    for (let steps = 20 + random(40); steps > 0 && empty.rounds < 5; steps -= 1) {
      const got = await session.rows<{ token: string; position: number; stream_id: string }>(
        "select token, position, stream_id from daybook.receive('work', $1, '50 ms', $2)",
        [1 + random(4), name],
      );
      if (got.length === 0) {
        await sleep(10);
        if (
          Date.now() > until &&
          (await session.value("select undelivered from daybook.routes where name = 'work'")) === 0
        )
          empty.rounds += 1;
      }
      for (const { token, position, stream_id } of got) {
        const fate = Date.now() > until ? 9 : random(10);
        if (fate === 0) continue;
        if (fate === 1) await session.rows("select daybook.nack('work', $1, 'random')", [token]);
        else {
          await session.rows("begin");
          const mine = await session.value<boolean>("select daybook.ack('work', $1)", [token]);
          await session.rows("insert into effects (position, stream_id, receiver) values ($1, $2, $3)", [
            position,
            stream_id,
            name,
          ]);
          if (fate === 2) await sleep(60);
          await session.rows(mine && fate !== 3 ? "commit" : "rollback");
        }
      }
    }
    if (random(2) === 0) {
      await session.rows("begin");
      await session.rows("select from daybook.receive('work', 3)");
      await db.query("select pg_terminate_backend($1)", [session.pid]);
    }
  } finally {
    await session.end().catch(() => undefined);
  }
}

t.test(`seed ${seed}: several receivers at once`, async (t) => {
  const empty = { rounds: 0 };
  const receiver = async (id: number) => {
    const random = randomly(seed + 100 + id);
    while (empty.rounds < 5) await life(`r${id}`, random, empty);
  };
  await Promise.all([writer(1), writer(2), receiver(1), receiver(2), receiver(3)]);
  const events = await column(db, "select position from daybook.events order by position");
  t.ok(events.length > 50, `${events.length} events`);
  t.same(await column(db, "select position from effects order by position"), events, "each done once");
  t.same(
    await rows(
      db,
      `select e.* from (select e.*, lag(e.position) over (partition by e.stream_id order by e.done) as before from effects e) e
        where e.position < e.before`,
    ),
    [],
    "in order within each stream",
  );
  t.ok(Number(await value(db, "select count(distinct receiver) from effects")) > 1, "shared");
  t.same(await rows(db, "select * from daybook.parked_streams"), []);
});
