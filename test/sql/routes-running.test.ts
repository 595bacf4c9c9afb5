import t from "tap";
import { WAYS } from "../concurrency/support/calls.ts";
import { openSession, type Session } from "../concurrency/support/sessions.ts";
import { testDatabase } from "../support/database.ts";
import { column, connect, rows, value } from "./support.ts";

/* Routes are made, changed, paused, shadowed and dropped while appends run. */

t.setTimeout(120_000);
const database = await testDatabase(t);
const db = await connect(t, database.url);
const open = async () => {
  const session = await openSession(database.url);
  t.teardown(() => session.end());
  return session;
};
const [a, admin] = [await open(), await open()];
const written = (stream: string, route: string) =>
  column(db, "select version from daybook.outbox_log where stream_id = $1 and route = $2 order by position", [
    stream,
    route,
  ]);

for (const { name, call } of WAYS) {
  const word = name.replaceAll(/\W/g, "");
  const append = (session: Session) => {
    const { text, values } = call({ stream: `${word}-1` });
    return session.rows(text, values);
  };

  t.test(
    `${name}: a session that has appended before sees a new route, a changed and a dropped one, in its next transaction`,
    async (t) => {
      for (let i = 0; i < 8; i += 1) await append(a);
      const before = await value(db, "select version from daybook.streams where stream_id = $1", [`${word}-1`]);
      await admin.rows("select daybook.create_route($1, 'queue', categories => array[$1])", [word]);
      await append(a);
      t.equal((await written(`${word}-1`, word))[0], Number(before) + 1);
      const count = (await written(`${word}-1`, word)).length;
      await admin.rows("select daybook.create_route($1, 'queue', categories => '{other}')", [word]);
      await append(a);
      t.equal((await written(`${word}-1`, word)).length, count);
      await admin.rows("select daybook.create_route($1, 'queue', categories => array[$1], mode => 'shadow')", [word]);
      await append(a);
      t.ok((await written(`${word}-1`, word)).length > count, "a shadowed route is written");
      await admin.rows("select daybook.pause_route($1, 'test')", [word]);
      const shadowed = (await written(`${word}-1`, word)).length;
      await append(a);
      t.ok((await written(`${word}-1`, word)).length > shadowed, "a paused one too");
      await admin.rows("select daybook.drop_route($1, 'test')", [word]);
      await append(a);
      t.same(await written(`${word}-1`, word), []);
    },
  );

  t.test(`${name}: in flight while a route is made and while it is dropped`, async (t) => {
    const route = `${word}-flying`;
    await a.rows("begin");
    await append(a);
    await admin.rows("select daybook.create_route($1, 'queue', categories => array[$2])", [route, word]);
    await append(a);
    await a.rows("commit");
    await append(a);
    const last = await value(db, "select max(version) from daybook.events where stream_id = $1", [`${word}-1`]);
    const all = await written(`${word}-1`, route);
    t.equal(all.at(-1), last);
    t.same(
      all,
      Array.from(all, (_, i) => Number(last) - all.length + 1 + i),
      "without holes, to the end",
    );
    const from = await value(db, "select position from daybook.cursors where name = $1", [route]);
    t.same(
      await column(db, "select version from daybook.read_outbox_for($1, $2, (select daybook.horizon()), 100)", [
        route,
        from,
      ]),
      all,
      "the new route's position lies before all of them",
    );
    await a.rows("begin");
    await append(a);
    await admin.rows("select daybook.drop_route($1, 'test')", [route]);
    await append(a);
    await a.rows("commit");
    await db.query("select daybook.forget_delivered()");
    t.same(await written(`${word}-1`, route), [], "what the one in flight left goes");
  });
}

t.test(
  "made between an append's drawing of its position and its writing of the outbox: written it is read",
  async (t) => {
    await db.query(`
    create function public.wait() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock_shared(77); return null; end $$;
    create trigger wait after insert on daybook.event_log for each row when (new.type = 'Waiting') execute function public.wait();
    select daybook.create_route('early', 'queue', categories => '{slow}');
    select daybook.append_event('slow-1', 'T');`);
    await db.query("select pg_advisory_lock(77)");
    const slow = a.rows("select daybook.append_event('slow-1', 'Waiting')");
    for (let waits = false; !waits; )
      waits =
        (await value(db, "select exists (select from pg_locks where pid = $1 and not granted)", [a.pid])) === true;
    await admin.rows("select daybook.append_event('slow-2', 'T')");
    await admin.rows("select daybook.create_route('late', 'queue', categories => '{slow}')");
    await db.query("select pg_advisory_unlock(77)");
    await slow;
    await admin.rows("select daybook.append_event('slow-2', 'T')");
    const from = await value(db, "select position from daybook.cursors where name = 'late'");
    const read = await column(
      db,
      "select position from daybook.read_outbox_for('late', $1, (select daybook.horizon()), 100)",
      [from],
    );
    t.same(read, await column(db, "select position from daybook.outbox_log where route = 'late' order by position"));
    t.equal(read.length, 2, "the one in flight has seen the new route");
    await db.query("drop trigger wait on daybook.event_log");
  },
);

/** Numbers from 0 to below n, the same for the same seed. */
function randomly(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

const seed = Number(process.env.DAYBOOK_SEED ?? 20261121);
t.test(`seed ${seed}: what matches a route that was there throughout is in the outbox once, in order`, async (t) => {
  await admin.rows("select daybook.create_route('steady', 'queue', categories => '{run}')");
  await admin.rows("select daybook.create_route('steady-type', 'queue', types => '{Tested}', categories => '{run,x}')");
  const until = Date.now() + 4000;
  const writer = async (id: number) => {
    const random = randomly(seed + id);
    const session = await open();
    while (Date.now() < until) {
      const steps = 1 + random(4);
      const inTransaction = random(2) === 0;
      if (inTransaction) await session.rows(random(3) === 0 ? "begin isolation level repeatable read" : "begin");
      let outcome = "ok";
      for (let i = 0; i < steps && outcome === "ok"; i += 1) {
        // each writer in streams of its own and in one of all: in sorted order, so that no two deadlock
        const way = WAYS[random(WAYS.length)];
        const { text, values } = way?.call({
          stream: random(5) === 0 && i === steps - 1 ? "run-shared" : `run-${id}-${random(3)}`,
        }) ?? { text: "", values: [] };
        const undone = inTransaction && random(4) === 0;
        if (undone) await session.rows("savepoint s");
        outcome = await session.outcome(text, values);
        if (undone) await session.rows("rollback to s");
      }
      if (inTransaction) await session.rows(outcome !== "ok" || random(5) === 0 ? "rollback" : "commit");
    }
  };
  const changer = async () => {
    const random = randomly(seed);
    while (Date.now() < until) {
      const name = `r${random(3)}`;
      if (random(3) === 0) await admin.outcome("select daybook.drop_route($1, 'random')", [name]);
      else
        await admin.rows("select daybook.create_route($1, 'queue', types => $2, mode => $3)", [
          name,
          random(2) === 0 ? ["Tested"] : null,
          random(2) === 0 ? "on" : "shadow",
        ]);
    }
  };
  const followed: number[] = [];
  const follower = async () => {
    const session = await open();
    let from = await session.value<number>("select position from daybook.cursors where name = 'steady'");
    for (let last = false; ; ) {
      last = Date.now() > until + 200;
      const horizon = await session.value<number>("select daybook.horizon()");
      const page = await session.column<number>("select position from daybook.read_outbox_for('steady', $1, $2, 50)", [
        from,
        horizon,
      ]);
      followed.push(...page);
      from = page.length === 50 ? Number(page.at(-1)) : Math.max(from, horizon);
      if (last && page.length < 50) return;
    }
  };
  await Promise.all([writer(1), writer(2), writer(3), writer(4), changer(), follower()]);
  const events = await rows(db, "select position from daybook.events where category = 'run' order by position");
  t.ok(events.length > 100, `${events.length} events`);
  for (const route of ["steady", "steady-type"]) {
    t.same(
      await rows(db, "select position from daybook.outbox_log where route = $1 order by position", [route]),
      events,
      route,
    );
  }
  t.same(
    followed,
    events.map((e) => e.position),
    "a follower has seen each once, in order",
  );
  t.same(
    await rows(
      db,
      `select route, position from (
         select o.route, o.position, o.version - lag(o.version) over (partition by o.route, o.tenant_id, o.stream_id order by o.position) as step
           from daybook.outbox_log o where o.route like 'steady%') o where step <> 1`,
    ),
    [],
    "position order is version order",
  );
});
