import t from "tap";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { advance, advanceAll, append, createFunctions, status } from "./projecting.ts";
import { column, connect, row, value } from "./support.ts";

/*
 * A version that is being built has a name of its own, by which it is paused, resumed and begun again; the live one is not
 * touched by any of it.
 */

const database = await testDatabase(t);
const owner = await connect(t, database.url);
const login = async (role: string) => connect(t, await roleLogin(database, { roles: [role], tenants: ["*"] }));
const admin = await login("daybook_admin");
const worker = await login("daybook_worker");
await createFunctions(owner);
await append(owner, "a", 20);
await owner.query(`
  create table app.rates (factor bigint);
  insert into app.rates values (1);
  grant select on app.rates to daybook_projector;
  create function app.rated(events daybook.event[]) returns void language plpgsql as $$ begin
    insert into rated select e.position, r.factor from unnest(events) e cross join app.rates r; end $$`);

const live = () => row(owner, "select count(*) as n, max(factor) as factor from daybook_projections.rated");
const building = async () => {
  const { building_state: state, building_position: position, needs_person: needs } = await status(owner, "rated");
  return { state, position, needs };
};

for (const mode of ["async", "inline"] as const) {
  t.test(`${mode}: what was halted while it was built goes on where it was, once the cause is gone`, async (t) => {
    await value(
      admin,
      `select daybook.create_projection('rated', 'app.rated', '{"rated": "position bigint, factor bigint"}', mode => '${mode}', max_attempts => 1)`,
    );
    await advanceAll(worker, "rated");
    t.same(await live(), { n: 20, factor: 1 });
    await owner.query("update app.rates set factor = 2");
    const next = `rated@${await value(admin, "select daybook.rebuild_projection('rated')")}`;
    t.match(await advance(worker, next, 5), { handled: 5, outcome: "more" });
    await owner.query("revoke select on app.rates from daybook_projector");
    t.match(await advance(worker, next, 5), { handled: 0, position: 5, outcome: "halted" });
    t.same(await building(), { state: "halted", position: 5, needs: true });
    t.match(await status(owner, "rated"), { state: mode === "inline" ? "inline" : "running", version: 1 });
    t.same(await live(), { n: 20, factor: 1 }, "readers see the old one");
    t.match(await advance(worker, next), { handled: 0, outcome: "halted" }, "until somebody has seen to it");

    await owner.query("grant select on app.rates to daybook_projector");
    await admin.query("select daybook.resume_projection($1)", [next]);
    t.match(await advance(worker, next, 5), { handled: 1, position: 6 }, "up to the one that failed");
    await admin.query("select daybook.pause_projection($1, 'for a while')", [next]);
    t.match(await advance(worker, next), { handled: 0, outcome: "paused" });
    t.same(await building(), { state: "paused", position: 6, needs: false });
    await admin.query("select daybook.resume_projection($1)", [next]);
    t.equal((await advanceAll(worker, next, 5)).at(-1), "switched");
    t.same(await live(), { n: 20, factor: 2 });
    await owner.query("select daybook.drop_projection('rated'); update app.rates set factor = 1");
  });
}

t.test("begun again while it is built: empty, and from the start; who did what stays in the audit", async (t) => {
  await value(
    admin,
    `select daybook.create_projection('rated', 'app.rated', '{"rated": "position bigint, factor bigint"}')`,
  );
  await advanceAll(worker, "rated");
  await admin.query("select daybook.rebuild_projection('rated')");
  await advance(worker, "rated@2", 5);
  t.equal(Number(await value(admin, "select daybook.reset_projection('rated@2', 'the rates were wrong')")), 0);
  t.match(await building(), { state: "running", position: 0 });
  t.equal(await value(owner, "select count(*) from daybook_rated_2.rated"), 0);
  t.same(await live(), { n: 20, factor: 1 }, "readers see the live one");
  t.equal((await advanceAll(worker, "rated@2", 7)).at(-1), "switched");
  t.same(await live(), { n: 20, factor: 1 });
  const actions = await column(owner, "select action from daybook.audit where subject like '%rated%' order by 1");
  for (const action of ["create_projection", "replace_projection", "reset_projection", "switch_projection"])
    t.ok(actions.includes(action), action);
});
