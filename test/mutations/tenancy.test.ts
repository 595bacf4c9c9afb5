import t from "tap";
import { WAYS } from "../concurrency/support/calls.ts";
import { openSession } from "../concurrency/support/sessions.ts";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";

const database = await testDatabase(t);
const login = await roleLogin(database, { roles: ["daybook_reader"], tenants: ["one"] });
const owner = await openSession(login);
t.teardown(() => owner.end());

t.test("row security holds for an owner of the tables who is no superuser", async (t) => {
  const name = `"${await owner.value<string>("select current_user")}"`;
  for (const tenant of ["one", "two"]) {
    const text = "select daybook.append_event('shared-1', 'Tested', idempotency_key => 'k', tenant_id => $1)";
    await database.pool.query(text, [tenant]);
  }
  for (const table of ["event_log", "stream_heads", "idempotency_keys"]) {
    await database.pool.query(`alter table daybook.${table} owner to ${name}`);
    t.same(await owner.column(`select tenant_id from daybook.${table}`), ["one"], table);
  }
  t.same(await owner.column("select tenant_id from daybook.events"), ["one"], "events");
});

t.test("a transaction that is narrowed to a tenant appends to no other, also to a stream that is there", async (t) => {
  const writer = await openSession(await roleLogin(database, { roles: ["daybook_writer"], tenants: ["*"] }));
  t.teardown(() => writer.end());
  await writer.rows("begin");
  await writer.rows("set local daybook.tenant = 'one'");
  for (const { name, call } of WAYS) {
    const { text, values } = call({ stream: "shared-1" });
    await writer.rows("savepoint s");
    const named = text.replace(/\)$/, ", tenant_id => 'two')");
    t.equal(await writer.outcome(named, values), "YD202", name);
    await writer.rows("rollback to s");
    t.equal(await writer.outcome(text, values), "ok", name);
  }
  await writer.rows("rollback");
});
