import pg from "pg";
import t from "tap";
import { append, fold, loadState, type TechnicalFact, TenantNotGrantedError } from "../../src/index.ts";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { add as addTo, ones, snapshotsOf, sum } from "./support.ts";

const database = await testDatabase(t);
const { db } = database;
const add = addTo.bind(undefined, db);
const snapshots = snapshotsOf.bind(undefined, db);

t.test("tenants, and what a role may", async (t) => {
  await add("rights-1", ones(10), "one");
  await add("rights-1", ones(20), "two");
  const open = async (role: string) => {
    const pool = new pg.Pool({ connectionString: await roleLogin(database, { roles: [role], tenants: ["one"] }) });
    t.teardown(() => pool.end());
    return pool;
  };
  const reader = await open("daybook_reader");
  t.match(await loadState(reader, "rights-1", sum, { tenantId: "one" }), { state: { sum: 10 }, savedSnapshot: false });
  await t.rejects(fold(reader, "rights-1", sum, { tenantId: "two" }), TenantNotGrantedError);
  const writer = await open("daybook_writer");
  t.match(await loadState(writer, "rights-1", sum, { tenantId: "one" }), { savedSnapshot: true });
  t.match(await loadState(reader, "rights-1", sum, { tenantId: "one" }), { snapshotVersion: 10n });
  t.match(await loadState(db, "rights-1", sum, { tenantId: "two" }), { state: { sum: 20 }, snapshotVersion: null });
});

t.test("in a transaction of the caller: its own events, and a snapshot that fails harms nothing", async (t) => {
  const stop = new Error("stop");
  const work = db.transaction(async (tx) => {
    await append(tx, { streamId: "own-1", events: ones(12).map((n) => ({ type: "Added", data: { n } })) });
    t.match(await loadState(tx, "own-1", sum), { state: { sum: 12 }, savedSnapshot: true });
    t.match(await loadState(tx, "own-1", sum), { snapshotVersion: 12n });
    throw stop;
  });
  await t.rejects(work, stop);
  t.same(await snapshots("own-1"), []);
  await add("own-2", ones(12));
  const facts: TechnicalFact[] = [];
  await db.transaction(async (tx) => {
    await tx.query("set transaction read only");
    t.match(await loadState(tx, "own-2", sum, { onEvent: (fact) => facts.push(fact) }), {
      state: { sum: 12 },
      savedSnapshot: false,
    });
    t.match(await tx.query("select 1 as one"), [{ one: 1 }], "it goes on");
  });
  t.match(facts, [{ type: "snapshot-not-saved", error: { code: "25006" } }]);
});
