import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import t, { type Test } from "tap";
import { migrate, uninstall } from "../../src/index.ts";
import { withDatabase } from "../support/admin.ts";
import { type TestCluster, testCluster } from "../support/cluster.ts";
import { differences, dumpCatalogue } from "./catalogue.ts";

t.setTimeout(240_000);

const schemas = ["schema daybook", "schema daybook_doors", "schema daybook_projections"];
const roles = ["admin", "worker", "writer", "reader", "projector"].map((name) => `role daybook_${name}`);

async function connect(t: Test, url: string): Promise<pg.Pool> {
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  pool.on("error", () => undefined);
  t.teardown(() => pool.end());
  return pool;
}

// on a server of its own: roles belong to the whole of it
t.test("on a server", async (t) => {
  const cluster = await testCluster(t);
  const admin = await connect(t, cluster.url);
  await admin.query("create role app login; create table public.orders (id int primary key)");

  await t.test("leaves no trace", async (t) => {
    const before = await dumpCatalogue(admin);
    await migrate(admin);
    await admin.query(
      "grant daybook_writer to app; select daybook.grant_tenant('app', 'one'); select daybook.grant_tenant('app', '*')",
    );
    await admin.query(
      "select daybook.append_event('order-1', 'Placed'); select daybook.ensure_partitions(12); select daybook.upkeep()",
    );
    await admin.query(`
      create function public.apply(events daybook.event[]) returns void language plpgsql as 'begin insert into n select 1; end';
      select daybook.create_projection('n', 'public.apply', '{"n": "n int"}', mode => 'inline'), daybook.append_event('order-1', 'Placed');
      drop function public.apply(daybook.event[])`);
    t.ok(differences(before, await dumpCatalogue(admin)).length > 500, "the dump sees the installation");

    const lines: string[] = [];
    const report = await uninstall(admin, { log: (line) => lines.push(line) });
    t.strictSame(report, {
      removed: ["schema daybook", "schema daybook_doors", "schema daybook_n_1", "schema daybook_projections", ...roles],
      left: [],
    });
    t.equal(lines[0], "schema daybook removed");
    t.strictSame(differences(before, await dumpCatalogue(admin)), []);
    const { rows } = await admin.query("select from pg_locks where locktype = 'advisory'");
    t.strictSame(rows, []);

    t.strictSame(await uninstall(cluster.url), { removed: [], left: [] }, "again: nothing is there");
    await migrate(admin);
    await admin.query("select daybook.append_event('order-1', 'Placed')");
    await uninstall(admin);
    t.strictSame(differences(before, await dumpCatalogue(admin)), [], "nor after it was installed again");
  });

  await t.test("stops where other objects rest on it", (t) => dependents(t, admin));
  await t.test("leaves the roles to another database that needs them", (t) => twoDatabases(t, cluster, admin));
  await t.test("as a role that is no superuser", (t) => ordinaryOwner(t, cluster, admin));
});

async function dependents(t: Test, admin: pg.Pool): Promise<void> {
  const before = await dumpCatalogue(admin);
  await migrate(admin);
  await admin.query(`
    create view public.placed as select * from daybook.events where type = 'Placed';
    create table public.kept (event daybook.event);
    create function public.f(daybook.event) returns int language sql as 'select 1';
    create publication all_streams for table daybook.stream_heads`);
  const objects = [
    "column event of table kept",
    "function f(daybook.event)",
    "publication of table daybook.stream_heads in publication all_streams",
    "rule _RETURN on view placed",
  ];
  const installed = await dumpCatalogue(admin);
  await t.rejects(uninstall(admin), {
    name: "UninstallBlockedError",
    code: "YD904",
    detail: { objects },
    hint: /cascade/,
  });
  t.strictSame(differences(installed, await dumpCatalogue(admin)), [], "nothing was removed");

  const report = await uninstall(admin, { cascade: true });
  t.strictSame(report.removed, [...schemas, ...objects, ...roles]);
  await admin.query("drop table public.kept; drop publication all_streams");
  t.strictSame(differences(before, await dumpCatalogue(admin)), []);
}

async function twoDatabases(t: Test, cluster: TestCluster, admin: pg.Pool): Promise<void> {
  await admin.query("create database other");
  await admin.query("alter role app set daybook.tenant = 'one'");
  const before = await dumpCatalogue(admin);
  const other = withDatabase(cluster.url, "other");
  await Promise.all([migrate(admin), migrate(other)]);
  await admin.query("grant select on public.orders to daybook_reader");

  const first = await uninstall(other);
  t.strictSame(first.removed, schemas);
  t.match(first.left, [
    ...roles.map((what) => ({ what, why: /some objects depend on it/ })),
    { what: "setting daybook.tenant=one of role app", why: /RESET/ },
  ]);
  const second = await uninstall(admin);
  t.strictSame(second.removed, [...schemas, ...roles.filter((role) => role !== "role daybook_reader")]);
  t.match(second.left[0], { what: "role daybook_reader", why: /privileges for table orders/ });

  await admin.query("revoke select on public.orders from daybook_reader");
  t.match(await uninstall(admin), { removed: ["role daybook_reader"] });
  const differs = differences(before, await dumpCatalogue(admin)).filter((line) => !line.includes('"orders"'));
  t.strictSame(differs, []);
  await admin.query("drop database other");
  await admin.query("alter role app reset daybook.tenant");
}

async function ordinaryOwner(t: Test, cluster: TestCluster, admin: pg.Pool): Promise<void> {
  await admin.query("create role owner login password 'secret'; grant create on database daybook to owner");
  const url = new URL(cluster.url);
  url.username = "owner";
  url.password = "secret";
  await t.rejects(migrate(url.href), { message: /owner may not create roles/, hint: /create role daybook_reader/ });
  t.match(await uninstall(url.href), { removed: ["schema daybook"] }, "what a failed installation has left");

  await admin.query("alter role owner createrole");
  const before = await dumpCatalogue(admin);
  await migrate(url.href);
  await admin.query("set role owner; select daybook.append_event('order-1', 'Placed'); reset role");
  t.strictSame(await uninstall(url.href), { removed: [...schemas, ...roles], left: [] });
  t.strictSame(differences(before, await dumpCatalogue(admin)), []);

  await migrate(admin);
  await t.rejects(
    uninstall(url.href),
    { name: "MigrationError", hint: /owns the schema/ },
    "not the owner of this one",
  );
  await uninstall(admin);
}

t.test("in PGlite", async (t) => {
  const pglite = new PGlite();
  t.teardown(() => pglite.close());
  await pglite.waitReady;
  const before = await dumpCatalogue(pglite);
  await migrate(pglite);
  t.strictSame(await uninstall(pglite), { removed: [...schemas, ...roles], left: [] });
  t.strictSame(differences(before, await dumpCatalogue(pglite)), []);
});
