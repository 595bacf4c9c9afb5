import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { ack, nack, places, queue, receive, receiver } from "./receivers.ts";
import { connect, refused, row, rows, value, writesNothing } from "./support.ts";

const database = await testDatabase(t);
const db = await connect(t, database.url);
const [a, b] = [await receiver(t, database), await receiver(t, database)];

t.test("one message of each stream, in order of position; the next of a stream once that is done", async (t) => {
  const put = await queue(database, "order");
  await put(1, 2);
  await put(2, 1);
  await put(3, 1);
  const first = await receive(a, "order", 2);
  t.same(places(first), ["1.1", "2.1"]);
  const second = await receive(b, "order");
  t.same(places(second), ["3.1"], "another receiver gets what is free");
  t.same(await receive(b, "order"), []);
  t.match(await rows(db, "select position, state from daybook.outbox where route = 'order' order by position"), [
    { state: "leased" },
    { state: "behind a lease" },
    { state: "leased" },
    { state: "leased" },
  ]);
  t.equal(await ack(a, "order", first[0]?.token), true);
  t.equal(await ack(a, "order", first[0]?.token), false, "once");
  const third = await receive(b, "order");
  t.same(places(third), ["1.2"]);
  await put(2, 1);
  t.same(await receive(b, "order"), [], "a stream at work waits, for what comes new too");
  for (const m of [...first, ...second, ...third]) await ack(b, "order", m.token);
  t.same(places(await receive(a, "order")), ["2.2"]);
});

t.test("a message is whole", async (t) => {
  await queue(database, "whole", ", topic => 't.{type}', public_name => 'whole.done', public_version => 2");
  await db.query(
    `select daybook.append_event('whole-1', 'Done', '{"a": 1}', '{"m": 1}', event_id => '0198c7f2-0000-7000-8000-00000000000b')`,
  );
  const { written_at, occurred_at, ...rest } = await row(db, "select * from daybook.receive('whole')");
  t.ok(written_at instanceof Date && occurred_at instanceof Date);
  t.match(rest, {
    tenant_id: "default",
    message_id: "0198c7f2-0000-7000-8000-00000000000b",
    stream_id: "whole-1",
    version: 1,
    topic: "t.Done",
    type: "whole.done",
    type_version: 2,
    data: { a: 1 },
    metadata: { m: 1 },
    correlation_id: null,
    causation_id: null,
    attempts: 1,
  });
});

t.test("effects and ack in one transaction; a lease that has ended", async (t) => {
  const put = await queue(database, "effect", ", max_attempts => 3");
  await put(1);
  const [one] = await receive(a, "effect", 1, "1 millisecond");
  await sleep(5);
  const [again] = await receive(b, "effect", 1, "1 minute");
  t.match([one, again], [{ attempts: 1 }, { attempts: 2, position: one?.position }], "it comes again");
  t.equal(await ack(a, "effect", one?.token), false, "the first has lost it");
  t.equal(await nack(a, "effect", one?.token), "lost");
  await b.rows("begin");
  t.equal(await ack(b, "effect", again?.token), true);
  t.same(await receive(a, "effect"), [], "nobody waits for a transaction with an ack");
  await b.rows("rollback");
  t.equal(await ack(b, "effect", again?.token), true, "a rollback takes the ack back");
  t.same(await receive(a, "effect"), []);
  t.equal(await value(db, "select count(*) from daybook.outbox_leases where route = 'effect'"), 0);
});

t.test("what is received in SQL is no work for workers", async (t) => {
  const put = await queue(database, "own");
  await put(1, 2);
  await nack(a, "own", (await receive(a, "own"))[0]?.token);
  t.same(
    await rows(db, "select name from daybook.due_consumers(0, (select daybook.horizon())) where kind = 'route'"),
    [],
  );
});

t.test("paused nothing comes, and is written; shadowed it is passed over; reset it comes again", async (t) => {
  const put = await queue(database, "pause");
  await put(1, 2);
  await db.query("select daybook.pause_route('pause', 'test')");
  t.same(await receive(a, "pause"), []);
  await put(1, 1);
  await db.query("select daybook.resume_route('pause')");
  const [one] = await receive(a, "pause");
  t.match(one, { version: 1 });
  t.equal(await ack(a, "pause", one?.token), true);
  const [two] = await receive(a, "pause");
  await db.query("select daybook.reset_route('pause', 'start', 'test')");
  t.equal(await ack(a, "pause", two?.token), false);
  t.same(places(await receive(a, "pause")), ["1.1"]);

  const shadow = await queue(database, "shadow", ", mode => 'shadow'");
  await shadow(1, 2);
  t.same(await receive(a, "shadow"), []);
  t.match(await row(db, "select undelivered from daybook.routes where name = 'shadow'"), { undelivered: 0 });
});

t.test("what cannot be received is refused, and nothing is written", async (t) => {
  await queue(database, "bad");
  await db.query("select daybook.create_route('sent', 'queue', categories => '{sent}')");
  await db.query("select daybook.create_route('of-acme', 'postgres', tenant_id => 'acme')");
  const acme = await connect(t, await roleLogin(database, { roles: ["daybook_writer"], tenants: ["acme"] }));
  const token = "'0198c7f2-0000-7000-8000-00000000000a'";
  await writesNothing(t, db, "all", async () => {
    for (const args of ["0", "1001", "null", "1, '0'", "1, '-1 s'", "1, '2 days'", "1, null", "1, '1 s', ''"])
      await refused(t, "YD108", args, () => rows(db, `select daybook.receive('bad', ${args})`));
    await refused(t, "YD108", "delay", () => rows(db, `select daybook.nack('bad', ${token}, delay => '-1 s')`));
    for (const call of ["receive($1)", `ack($1, ${token})`, `nack($1, ${token})`]) {
      for (const route of ["sent", "nothing", null])
        await refused(t, "YD501", `${call} ${route}`, () => rows(db, `select daybook.${call}`, [route]));
      t.match(await refused(t, "YD201", call, () => rows(acme, `select daybook.${call}`, ["bad"])), { tenant_id: "*" });
    }
    t.equal(await value(db, `select daybook.ack('bad', ${token})`), false);
    t.equal(await value(db, `select daybook.nack('bad', ${token})`), "lost");
    await a.rows("begin isolation level repeatable read");
    t.equal(await a.outcome("select daybook.receive('bad')"), "YD402");
    await a.rows("rollback");
  });
  await db.query("select daybook.append_event('bad-1', 'T', tenant_id => 'acme')");
  t.equal(
    (await rows(acme, "select * from daybook.receive('of-acme')")).length,
    1,
    "a route of its tenant it may receive",
  );
});

t.test("a drain that was on its way when the route came to be received in SQL gets nothing", async (t) => {
  await db.query("select daybook.create_route('turned', 'function', categories => '{turned}')");
  await db.query("select daybook.append_event('turned-1', 'T')");
  const claim = "select position from daybook.claim_consumer('route', 'turned', 0, 1)";
  t.equal((await rows(db, claim)).length, 1);
  await db.query("select daybook.create_route('turned', 'postgres', categories => '{turned}')");
  t.equal((await receive(a, "turned")).length, 1);
  await db.query("select daybook.append_event('turned-1', 'T')");
  t.same(await rows(db, claim), [], "or it would send the second while the first is leased");
  t.same(await rows(db, "select * from daybook.claim_parked('route', 'turned', 0, 1)"), []);
});
