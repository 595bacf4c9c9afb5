import t, { type Test } from "tap";
import {
  type Db,
  defineProjection,
  drainProjection,
  projectionStatus,
  rebuildProjection,
  registerProjection,
  resumeProjection,
  waitFor,
} from "../../src/index.ts";
import type { TestDatabase } from "../support/database.ts";
import { tell } from "./support.ts";
import { journal, two, written } from "./target-support.ts";

/** The views in another database stay, and so does what rests on them: readers, too, are there. */

const define = (other: TestDatabase, tables: Record<string, string>, more: object = {}) =>
  defineProjection({
    name: "orders",
    target: other.db,
    tables,
    async handle(event, { tx }) {
      await tx.query("insert into orders (id) values ($1) on conflict do nothing", [event.streamId]);
    },
    ...more,
  });
const orders = "id text primary key, state text";
const views = async ({ pool }: TestDatabase) =>
  (
    await pool.query(
      "select c.relname as name from pg_class c where c.relkind = 'v' and c.relnamespace = any ('{public,daybook_projections}'::regnamespace[]) order by 1",
    )
  ).rows.map(({ name }) => name);

async function started(t: Test, tables: Record<string, string>) {
  const { store, other } = await two(t);
  await tell(store.db, "a-1");
  const first = define(other, tables);
  await registerProjection(store.db, first);
  await drainProjection(store.db, first);
  return { store, other };
}

t.test("columns that change: made anew with its rights and comments", async (t) => {
  const { store, other } = await started(t, { orders });
  const role = `${other.name}_reads`;
  other.logins.push(role);
  await other.pool.query(`create role ${role}; grant select on daybook_projections.orders to ${role};
    comment on view daybook_projections.orders is 'kept'; comment on column daybook_projections.orders.id is 'of the order';
    grant select (state) on daybook_projections.orders to public`);
  const next = define(other, { orders: "id text primary key, state integer" }, { revision: 2 });
  await registerProjection(store.db, next);
  await drainProjection(store.db, next, { name: "orders@2" });
  t.match(await projectionStatus(store.db), [{ version: 2, building: null }]);
  const { rows } = await other.pool.query(
    `select has_table_privilege($1, c.oid, 'select') as may, has_column_privilege('public', c.oid, 'state', 'select') as all_may,
            obj_description(c.oid) as comment, col_description(c.oid, 1) as of_column
       from pg_class c where c.oid = 'daybook_projections.orders'::regclass`,
    [role],
  );
  t.same(rows, [{ may: true, all_may: true, comment: "kept", of_column: "of the order" }]);
});

for (const [what, was, is, view] of [
  ["columns that change", { orders }, { orders: "id text primary key, state integer" }, "orders"],
  ["a table that goes", { orders, notes: "note text" }, { orders }, "notes"],
] as const) {
  t.test(`${what} while something rests on the view: it says so, and nothing is dropped`, async (t) => {
    const { store, other } = await started(t, was);
    await other.pool.query(`create view on_top as select * from daybook_projections.${view}`);
    const before = await views(other);
    const next = define(other, is, { revision: 2 });
    await registerProjection(store.db, next);
    t.match(await drainProjection(store.db, next, { name: "orders@2" }), { outcome: "halted" });
    t.match(await projectionStatus(store.db), [
      { version: 1, needsPerson: true, building: { state: "halted", reason: /view on_top depends on view/ } },
    ]);
    t.same(await views(other), before);
    await other.pool.query("drop view on_top");
    await resumeProjection(store.db, { name: "orders@2" });
    await drainProjection(store.db, next, { name: "orders@2" });
    t.match(await projectionStatus(store.db), [{ version: 2, building: null }]);
    t.same(await views(other), ["orders"]);
  });
}

t.test("a view of somebody else is not taken", async (t) => {
  const { store, other } = await started(t, { orders });
  await other.pool.query("create view daybook_projections.mine as select 1 as id");
  const second = define(other, { mine: "id integer" }, { name: "second" });
  await registerProjection(store.db, second);
  t.match(await drainProjection(store.db, second), { outcome: "halted" });
  const third = define(other, { orders }, { name: "third" });
  await registerProjection(store.db, third);
  t.match(await drainProjection(store.db, third), { outcome: "halted" });
  t.match(await projectionStatus(store.db, { name: "third" }), [{ stateReason: /orders.* is there already/ }]);
});

t.test("whoever was told that an event is there finds it there, while versions are switched", async (t) => {
  const { store, other, projection } = await two(t);
  await tell(store.db, "a-1", 3);
  await registerProjection(store.db, projection);
  await drainProjection(store.db, projection);
  await rebuildProjection(store.db, { name: "journal" });
  let position: bigint | undefined;
  const meanwhile = async () => {
    if (position !== undefined) return;
    position = await tell(store.db, "a-1");
    await drainProjection(store.db, projection);
  };
  const hooked = (db: Db): Db => ({
    async query(text, values, options) {
      if (text.startsWith("create or replace view")) await meanwhile();
      return db.query(text, values, options);
    },
    transaction: (run) => db.transaction((tx) => run(hooked(tx))),
  });
  await drainProjection(store.db, defineProjection(journal(hooked(other.db))), { name: "journal@2" });
  t.equal(position, 4n);
  const isTold = await waitFor(store.db, { projection: "journal", position: 4n, timeout: 1 }).then(
    () => true,
    () => false,
  );
  t.equal((await written(other)).includes(4), isTold);
  await drainProjection(store.db, projection);
  await drainProjection(store.db, projection, { name: "journal@2" });
  t.match(await projectionStatus(store.db), [{ version: 2, building: null }]);
  t.same(await written(other), [1, 2, 3, 4]);
});
