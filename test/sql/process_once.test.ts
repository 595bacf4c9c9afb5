import t from "tap";
import { openSession } from "../concurrency/support/sessions.ts";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { column, connect, refused, rows, value, writesNothing } from "./support.ts";

const database = await testDatabase(t);
const db = await connect(t, database.url);

t.test("true once for each consumer, tenant and message", async (t) => {
  const ask = (consumer: string, message: string, tenant: string | null = null) =>
    value(db, "select daybook.process_once($1, $2, $3)", [consumer, message, tenant]);
  t.same([await ask("c", "m"), await ask("c", "m"), await ask("c", "m", "default")], [true, false, false]);
  t.same([await ask("d", "m"), await ask("c", "n"), await ask("c", "m", "acme")], [true, true, true]);
});

t.test("two at once: the second waits, and is first only if the first rolls back", async (t) => {
  const [a, b] = [await openSession(database.url), await openSession(database.url)];
  t.teardown(() => Promise.all([a.end(), b.end()]));
  for (const end of ["commit", "rollback"] as const) {
    await a.rows("begin");
    t.equal(await a.value("select daybook.process_once('c', $1)", [end]), true);
    const second = b.value("select daybook.process_once('c', $1)", [end]);
    let waits = false;
    while (!waits)
      waits =
        (await value(db, "select exists (select from pg_locks where pid = $1 and not granted)", [b.pid])) === true;
    await a.rows(end);
    t.equal(await second, end === "rollback", end);
  }
});

t.test("bad arguments and tenants", async (t) => {
  const acme = await connect(t, await roleLogin(database, { roles: ["daybook_writer"], tenants: ["acme"] }));
  await writesNothing(t, db, "all", async () => {
    for (const args of [
      "null, 'm'",
      "'', 'm'",
      "'c', null",
      "'c', ''",
      "'c', repeat('x', 256)",
      "repeat('x', 256), 'm'",
    ])
      await refused(t, "YD108", args, () => rows(db, `select daybook.process_once(${args})`));
    await refused(t, "YD201", "another tenant", () => rows(acme, "select daybook.process_once('c', 'x', 'globex')"));
  });
});

t.test("what is old is forgotten, in bites", async (t) => {
  await db.query(`insert into daybook.processed_messages
    select 'default', 'old', i::text, now() - interval '31 days' from generate_series(1, 5) i`);
  const kept = await column(db, "select message_id from daybook.processed_messages where consumer <> 'old' order by 1");
  t.equal(await value(db, "select daybook.forget_processed_messages(2)"), 2);
  t.same(await rows(db, "select * from daybook.upkeep() where task like 'processed%'"), [
    { task: "processed messages forgotten", result: "3" },
  ]);
  t.same(await column(db, "select message_id from daybook.processed_messages order by 1"), kept);
  await db.query("select daybook.configure('processed_retention', '1 microsecond')");
  t.equal(await value(db, "select daybook.forget_processed_messages()"), kept.length);
});
