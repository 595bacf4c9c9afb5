import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { defineHandler, drainRoute, registerHandler } from "../../src/index.ts";
import { openSession } from "../concurrency/support/sessions.ts";
import { append, drainAll, value } from "../handlers/support.ts";
import { drainOut, refused, routed } from "../outbox/support.ts";
import { ack, nack, places, queue, receive } from "../sql/receivers.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { eventually, work } from "../worker/support.ts";
import { effectsOf, effectsTable, Streams, seeded } from "./support.ts";

t.setTimeout(120_000);

/**
 * As if the clock jumped: every moment that something waits for lies so much later, or earlier, than it did.
 *
 * @param by an interval: positive where the clock goes back
 */
async function jump({ pool }: TestDatabase, by: "1 hour" | "-1 hour"): Promise<void> {
  await pool.query(`
    update daybook.cursors set retry_at = retry_at + interval '${by}', moved_at = moved_at + interval '${by}',
      last_error = last_error || jsonb_build_object('at', (last_error ->> 'at')::timestamptz + interval '${by}');
    update daybook.parked_streams set retry_at = retry_at + interval '${by}', waits_since = waits_since + interval '${by}',
      parked_at = parked_at + interval '${by}',
      error = error || jsonb_build_object('at', (error ->> 'at')::timestamptz + interval '${by}');
    update daybook.outbox_leases set due_at = due_at + interval '${by}', leased_at = leased_at + interval '${by}';
    update daybook.outbox_log set written_at = written_at + interval '${by}';
    do $$ begin
      if to_regclass('graphile_worker._private_jobs') is not null then
        update graphile_worker._private_jobs set run_at = run_at + interval '${by}', locked_at = locked_at + interval '${by}';
      end if;
    end $$`);
}

/** Longer than a test takes, shorter than a jump. */
const slow = { attempts: 10, baseDelay: 600_000, maxDelay: 600_000 };

const failing = (name: string, onFailure: "halt" | "park") => {
  const state = { fails: true, tries: 0 };
  const handler = defineHandler({
    name,
    subscribesTo: ["*"],
    onFailure,
    retry: slow,
    async handle({ streamId, version }, { tx }) {
      state.tries += 1;
      if (state.fails) throw new Error("not yet");
      await tx.query("insert into effects (key, version) values ($1, $2)", [streamId, version]);
    },
  });
  return { handler, state };
};

for (const onFailure of ["halt", "park"] as const) {
  t.test(`${onFailure}: a failed event is due when the clock has gone back, or on, and not before`, async (t) => {
    const database = await testDatabase(t);
    await effectsTable(database);
    const { handler, state } = failing("slow", onFailure);
    await registerHandler(database.db, handler);
    await append(database, "a-1", "a-1");
    await drainAll(database.db, handler);
    t.equal(state.tries, 1);
    for (const by of ["1 hour", "-1 hour", "1 hour"] as const) {
      const { tries } = state;
      await drainAll(database.db, handler);
      t.equal(state.tries, tries, "it waits");
      await jump(database, by);
      t.ok(
        (await value<number>(database, "select extract(epoch from daybook.next_due() - clock_timestamp())::float")) <=
          0,
      );
      t.equal(
        await value(
          database,
          "select count(*)::integer from daybook.due_consumers(daybook.horizon(), daybook.horizon())",
        ),
        1,
      );
      await drainAll(database.db, handler);
      t.equal(state.tries, tries + 1, "once");
    }
    state.fails = false;
    await jump(database, "1 hour");
    await drainAll(database.db, handler);
    t.same(await effectsOf(database), [
      { key: "a-1", version: 1 },
      { key: "a-1", version: 2 },
    ]);
  });
}

t.test("a dead letter that a person has retried is due, too", async (t) => {
  const database = await testDatabase(t);
  await effectsTable(database);
  const state = { fails: true };
  const once = defineHandler({
    name: "dead",
    subscribesTo: ["*"],
    retry: { attempts: 1 },
    async handle({ streamId, version }, { tx }) {
      if (state.fails) throw new Error("not yet");
      await tx.query("insert into effects (key, version) values ($1, $2)", [streamId, version]);
    },
  });
  await registerHandler(database.db, once);
  await append(database, "a-1");
  await drainAll(database.db, once);
  await jump(database, "-1 hour");
  await jump(database, "-1 hour");
  await database.pool.query("select daybook.retry_dead_letters('handler', 'dead')");
  await jump(database, "1 hour");
  state.fails = false;
  await drainAll(database.db, once);
  t.equal((await effectsOf(database)).length, 1);
});

t.test("a route that waits for the other side, with its parked streams", async (t) => {
  const { database, transport, route } = await routed(t, { retry: slow });
  transport.answer = ({ key }) => (key === "bad-1" ? refused() : undefined);
  await append(database, "bad-1", "a-1");
  await drainOut(database, route, transport);
  await jump(database, "-1 hour");
  transport.answer = () => refused({ unavailable: true, retryAfter: 600_000 });
  await append(database, "a-1", "bad-1");
  t.match(await drainRoute(database.db, route, transport), { handled: 0 });
  await jump(database, "-1 hour");
  t.match(await drainOut(database, route, transport), { outcome: "waiting" });
  await jump(database, "1 hour");
  transport.answer = () => undefined;
  await drainOut(database, route, transport);
  t.same(transport.taken.toSorted(), ["a-1@1", "a-1@2", "bad-1@1", "bad-1@2"]);
  t.same(
    transport.taken.filter((name) => name.startsWith("bad")),
    ["bad-1@1", "bad-1@2"],
  );
});

t.test("leases of receive, and what was given back", async (t) => {
  const database = await testDatabase(t);
  const session = await openSession(database.url);
  t.teardown(() => session.end());
  const put = await queue(
    database,
    "leased",
    ", max_attempts => 20, base_delay => '10 minutes', max_delay => '10 minutes'",
  );
  await put(1, 2);
  await put(2, 2);
  const held = await receive(session, "leased", 10, "10 minutes");
  t.same(places(held), ["1.1", "2.1"]);
  t.same(await receive(session, "leased"), []);
  await jump(database, "1 hour");
  const again = await receive(session, "leased", 10, "10 minutes");
  t.same(places(again), ["1.1", "2.1"], "the leases have ended");
  t.equal(await ack(session, "leased", held[0]?.token), false, "and whoever had them is told");
  t.same(await receive(session, "leased"), [], "once");
  t.equal(await ack(session, "leased", again[0]?.token), true);
  t.equal(await session.value("select daybook.nack('leased', $1)", [again[1]?.token]), "retry");
  const next = await receive(session, "leased", 10, "10 minutes");
  t.same(places(next), ["1.2"]);
  await jump(database, "1 hour");
  t.same(places(await receive(session, "leased")), ["1.2", "2.1"], "what was given back comes as well");
  await jump(database, "-1 hour");
  for (let got = await receive(session, "leased"); got.length > 0; got = await receive(session, "leased")) {
    for (const { token } of got) await ack(session, "leased", token);
  }
  t.equal(await value(database, "select undelivered::integer from daybook.routes"), 0);
  await put(1);
  const [last] = await receive(session, "leased");
  t.equal(await nack(session, "leased", last?.token), "retry");
  await jump(database, "1 hour");
  t.same(places(await receive(session, "leased")), ["1.3"]);
});

seeded(t, "the clock jumps while a worker runs", {}, async (t, choices) => {
  const database = await testDatabase(t);
  await effectsTable(database);
  const chances = choices.fork(1);
  const handlers = (["halt", "park"] as const).map((onFailure) =>
    defineHandler({
      name: onFailure,
      subscribesTo: ["*"],
      onFailure,
      retry: { attempts: 1000, baseDelay: 200, maxDelay: 1000 },
      async handle({ streamId, version }, { tx }) {
        if (onFailure === "park")
          await tx.query("insert into effects (key, version) values ($1, $2)", [streamId, version]);
        if (chances.chance(0.03)) throw new Error("by chance");
      },
    }),
  );
  await work(t, database, { handlers, safetyPoll: 1000 });
  const streams = new Streams(database, choices, 8);
  for (let i = 0; i < 8; i += 1) {
    await streams.append(40);
    await sleep(choices.between(0, 300));
    const by = choices.pick(["1 hour", "-1 hour"] as const);
    await jump(database, by);
    // events stay as they are, so that theirs can only be later
    if (by === "1 hour") {
      await database.pool.query(
        "update daybook.stream_heads set last_recorded_at = last_recorded_at + interval '1 hour'",
      );
    }
  }
  await streams.append(10);
  // were anything held up by a jump, it would take an hour
  await eventually(
    async () => (await value(database, "select max(behind)::integer from daybook.handlers")) === 0,
    20_000,
  );
  await eventually(
    async () => (await value(database, "select count(*)::integer from daybook.parked_streams")) === 0,
    20_000,
  );
  t.same(streams.violations(await effectsOf(database), true), [], "each once, each stream in order");
  t.same(
    await value(
      database,
      `select count(*)::integer
         from (select recorded_at < lag(recorded_at) over (partition by tenant_id, stream_id order by version) as is_before
                 from daybook.events) e
        where e.is_before`,
    ),
    0,
    "recorded_at never runs backwards in a stream",
  );
});
