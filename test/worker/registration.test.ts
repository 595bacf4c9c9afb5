import t from "tap";
import { openSession, sessions } from "../concurrency/support/sessions.ts";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";

/* The rows of worker processes, and the locks that say whether they live. */

const database = await testDatabase(t);
const { admin } = await sessions(t, database.url, ["admin"]);
const login = await roleLogin(database, { roles: ["daybook_worker"], tenants: ["*"] });
const alive = "select is_alive from daybook.workers_alive where worker = $1";

t.test("a worker lives as long as its session, and is swept away behind it", async (t) => {
  const session = await openSession(login);
  for (let i = 0; i < 20; i += 1) {
    const key = await session.value<number>("select daybook.register_worker($1, 'host', 1)", [`w-${i}`]);
    t.same(await admin.column(alive, [`w-${i}`]), [true], `lock ${key}`);
  }
  t.same(await admin.column("select daybook.sweep_workers()"), []);
  t.equal(await session.value("select daybook.unregister_worker('w-0')"), true);
  t.equal(await session.value("select daybook.unregister_worker('w-0')"), false);
  await admin.rows("select pg_terminate_backend($1, 5000)", [session.pid]);
  t.same(await admin.column(alive, ["w-1"]), [false]);
  t.equal((await admin.column("select daybook.sweep_workers()")).length, 19);
  t.same(await admin.column("select daybook.sweep_workers()"), []);
});

t.test("registered again by another session, it lives by that one", async (t) => {
  const [before, after] = [await openSession(login), await openSession(login)];
  const key = await before.value<number>("select daybook.register_worker('again', 'host', 1)");
  t.equal(await before.value("select daybook.register_worker('again', 'host', 1)"), key);
  t.not(await after.value("select daybook.register_worker('again', 'host', 1)"), key, "the first still holds its lock");
  await before.end();
  await admin.rows("select pg_terminate_backend($1, 5000)", [before.pid]);
  t.same(await admin.column("select daybook.sweep_workers()"), []);
  t.same(await admin.column(alive, ["again"]), [true]);
  // another may say goodbye for it
  t.equal(await admin.value("select daybook.unregister_worker('again')"), true);
  await after.end();
});

t.test("two sweepers at once: one of them has it", async (t) => {
  const { a, b } = await sessions(t, database.url, ["a", "b"]);
  await admin.rows("insert into daybook.workers (worker, lock_key, host, pid) values ('dead', -5, 'host', 1)");
  await a.rows("begin");
  t.same(await a.column("select daybook.sweep_workers()"), ["dead"]);
  t.same(await b.column("select daybook.sweep_workers()"), []);
  await a.rows("rollback");
  t.same(await b.column("select daybook.sweep_workers()"), ["dead"], "a sweeper that was killed has done nothing");
});

t.test("who may, and with what", async (t) => {
  t.equal(await admin.outcome("select daybook.register_worker('', 'host', 1)"), "YD108");
  t.equal(await admin.outcome("select daybook.register_worker('x', null, 1)"), "YD108");
  const reader = await openSession(await roleLogin(database, { roles: ["daybook_reader"] }));
  t.equal(await reader.outcome("select daybook.register_worker('x', 'host', 1)"), "42501");
  t.equal(await reader.outcome("select daybook.fall_asleep()"), "ok", "readers follow the log live");
  t.equal(await reader.outcome("select daybook.wake_up()"), "ok");
  await reader.end();
});
