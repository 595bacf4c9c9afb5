import t from "tap";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { advanceAll, append, create, createFunctions } from "./projecting.ts";
import { column, connect, failure, rows, value } from "./support.ts";

/** Who may read the views of projections: members of daybook_reader, and roles that were granted the view and its schema. */

const database = await testDatabase(t);
const owner = await connect(t, database.url);
await createFunctions(owner);
await append(owner, "a", 3);
await owner.query("select daybook.append_event('b-1', 'Added', tenant_id => 'two')");
for (const name of ["sums", "journal"]) {
  await create(owner, name, name);
  await advanceAll(owner, name);
}
const tenants = "select distinct tenant_id from daybook_projections.sums order by 1";
const positions = "select position from daybook_projections.journal order by 1";

t.test("a member of daybook_reader reads all views, and the tenants it was granted", async (t) => {
  const reader = await connect(t, await roleLogin(database, { roles: ["daybook_reader"], tenants: ["two"] }));
  t.same(await column(reader, tenants), ["two"]);
  t.equal((await column(reader, positions)).length, 4, "without a column tenant_id, every row");
});

t.test("another role: what it was granted, of tables without tenant_id", async (t) => {
  const other = await connect(t, await roleLogin(database, { roles: [], tenants: [] }));
  t.match(await failure(() => rows(other, positions)), { code: "42501", message: /schema daybook_projections/ });
  await owner.query(`grant usage on schema daybook_projections to ${other.user}`);
  t.match(await failure(() => rows(other, positions)), { code: "42501", message: /view journal/ });
  await owner.query(`grant select on daybook_projections.journal, daybook_projections.sums to ${other.user}`);
  t.equal((await column(other, positions)).length, 4);
  t.match(await failure(() => rows(other, tenants)), { code: "42501", message: /function visible_tenants/ });
  await owner.query(`grant daybook_reader to ${other.user}`);
  t.same(await column(other, tenants), ["default"], "as everybody who was granted no tenant");
  await owner.query(`revoke all on schema daybook_projections from ${other.user}`);
});

t.test("what rests on a view is read with the rights of its own owner", async (t) => {
  await owner.query("create view app.totals as select stream_id, total from daybook_projections.sums");
  const other = await connect(t, await roleLogin(database, { roles: [], tenants: [] }));
  await owner.query(`grant usage on schema app to ${other.user}; grant select on app.totals to ${other.user}`);
  t.match(await failure(() => rows(other, "select * from app.totals")), { code: "42501" }, "all but visible_tenants");
  const reader = await connect(t, await roleLogin(database, { roles: ["daybook_reader"], tenants: ["two"] }));
  await owner.query(`grant select on app.totals to ${reader.user}`);
  t.equal(Number(await value(reader, "select count(*) from app.totals")), 1, "and whose tenants hold there, too");
});
