import pg from "pg";
import t from "tap";
import { type Db, defineHandler, registerHandler } from "../../src/index.ts";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { append, drainAll, effectNames, effectsTable, readEffects, value, writeEffect } from "./support.ts";

const setting = "select current_setting('daybook.tenant', true) as tenant";

t.test("each call sees its tenant alone", async (t) => {
  const database = await testDatabase(t);
  await effectsTable(database);
  await database.pool.query(`
    create table notes (tenant_id text, text text);
    alter table notes enable row level security;
    create policy tenants on notes using (tenant_id = current_setting('daybook.tenant', true));
    grant all on notes to public;
    insert into notes values ('acme', 'of acme'), ('default', 'of default');`);
  const url = await roleLogin(database, { roles: ["daybook_worker"] });
  const worker = new pg.Pool({ connectionString: url, max: 2 });
  // the database goes while the connections are being closed
  worker.on("error", () => undefined);
  t.teardown(() => worker.end());
  const seen: unknown[] = [];
  const handler = defineHandler({
    name: "reader",
    subscribesTo: ["*"],
    async handle(event, { tx, tenantId, handler }) {
      t.equal(tenantId, event.tenantId);
      const [{ streams } = {}] = await tx.query(
        "select array_agg(stream_id order by stream_id) as streams from daybook.streams",
      );
      seen.push([(await tx.query(setting))[0]?.tenant, (await tx.query("select text from notes"))[0]?.text, streams]);
      await writeEffect(tx, handler, event);
      await tx.query("select daybook.append_event('copy-1', 'Copied')");
    },
  });
  await registerHandler(database.db, handler);
  await append(database, "a-1", "b-1/acme", "a-1", "b-2/acme");
  await drainAll(worker, handler, { maxBatch: 4, horizon: 4n });
  t.same(seen, [
    ["default", "of default", ["a-1"]],
    ["acme", "of acme", ["b-1", "b-2"]],
    ["default", "of default", ["a-1", "copy-1"]],
    ["acme", "of acme", ["b-1", "b-2", "copy-1"]],
  ]);
  t.same(
    (await readEffects(database)).map(({ tenant }) => tenant),
    ["default", "acme", "default", "acme"],
  );
  t.same(
    await value(
      database,
      "select array_agg(tenant_id || ':' || version order by tenant_id) from daybook.streams where stream_id = 'copy-1'",
    ),
    ["acme:2", "default:2"],
  );
  const { rows } = await worker.query(setting);
  t.equal(rows[0].tenant ?? "", "", "and the session is as it was");
});

t.test("bound to one tenant", async (t) => {
  const database = await testDatabase(t);
  await effectsTable(database);
  const handler = defineHandler({
    name: "acme-only",
    subscribesTo: ["*"],
    tenantId: "acme",
    handle: (event, { tx, handler }) => writeEffect(tx, handler, event),
  });
  await registerHandler(database.db, handler);
  await append(database, "a-1", "a-1/acme", "a-2", "a-1/acme", "a-1/other");
  await drainAll(database.db, handler);
  t.same(
    (await readEffects(database)).map(({ tenant, version }) => [tenant, version]),
    [
      ["acme", 1],
      ["acme", 2],
    ],
  );
  t.equal(await value(database, "select position::int from daybook.cursors"), 5);
});

t.test("parked streams of one name in two tenants are two", async (t) => {
  const database = await testDatabase(t);
  await effectsTable(database);
  const handler = defineHandler({
    name: "h",
    subscribesTo: ["*"],
    retry: { attempts: 2, baseDelay: 60_000 },
    async handle(event, { tx, handler }) {
      if (event.tenantId === "acme") throw new Error("no");
      await writeEffect(tx, handler, event);
    },
  });
  await registerHandler(database.db, handler);
  await append(database, "a-1/acme", "a-1", "a-1/acme", "a-1");
  await drainAll(database.db, handler);
  t.same(await effectNames(database), ["a-1@1", "a-1@2"]);
  t.equal(
    await value(database, "select string_agg(tenant_id || ' ' || stream_id, ',') from daybook.parked_streams"),
    "acme a-1",
  );
});

t.test("batches are split by tenant, or not", async (t) => {
  const database = await testDatabase(t);
  const calls: unknown[] = [];
  const make = (name: string, batchByTenant: boolean, tenantId?: string) =>
    defineHandler({
      name,
      subscribesTo: ["*"],
      batchByTenant,
      tenantId,
      async handleBatch(events, { tx, tenantId }) {
        const [row] = await tx.query<{ tenant: string }>(setting);
        calls.push([
          name,
          tenantId,
          row?.tenant || null,
          events.map((e) => `${e.tenantId}/${e.streamId}@${e.version}`).join(" "),
        ]);
      },
    });
  await append(database, "a-1", "a-1/acme", "a-2", "a-1", "a-1/acme");
  for (const handler of [make("split", true), make("whole", false), make("bound", false, "acme")]) {
    await registerHandler(database.db, handler);
    await drainAll(database.db, handler);
  }
  t.same(calls, [
    ["split", "default", "default", "default/a-1@1 default/a-2@1 default/a-1@2"],
    ["split", "acme", "acme", "acme/a-1@1 acme/a-1@2"],
    ["whole", null, null, "default/a-1@1 acme/a-1@1 default/a-2@1 default/a-1@2 acme/a-1@2"],
    ["bound", "acme", "acme", "acme/a-1@1 acme/a-1@2"],
  ]);
});

t.test("what a call has narrowed its transaction to is not the next one's tenant", async (t) => {
  const database = await testDatabase(t);
  const narrowings: [string, (tx: Db) => Promise<unknown>][] = [
    ["set_config", (tx) => tx.query("select set_config('daybook.tenant', 'other', true)")],
    ["with parameters", (tx) => tx.query("select set_config($1, $2, true)", ["daybook.tenant", "other"])],
    ["set local", (tx) => tx.query("set local daybook.tenant = 'other'")],
    ["savepoint", (tx) => tx.transaction((nested) => nested.query("set local daybook.tenant = 'other'"))],
  ];
  await append(database, "a-1/acme", "a-1/acme", "b-1");
  for (const [name, narrow] of narrowings) {
    const seen: (string | undefined)[] = [];
    const handler = defineHandler({
      name,
      subscribesTo: ["*"],
      async handle(_event, { tx }) {
        const text = "select current_setting('daybook.' || 'tenant', true) as tenant";
        seen.push((await tx.query<{ tenant: string }>(text))[0]?.tenant);
        await narrow(tx);
      },
    });
    await registerHandler(database.db, handler);
    await drainAll(database.db, handler);
    t.same(seen, ["acme", "acme", "default"], name);
  }
});

t.test("a session narrowed beforehand skips nobody's events", async (t) => {
  const database = await testDatabase(t);
  await effectsTable(database);
  const handler = defineHandler({
    name: "h",
    subscribesTo: ["*"],
    handle: (event, { tx, handler }) => writeEffect(tx, handler, event),
  });
  await registerHandler(database.db, handler);
  await append(database, "a-1", "a-1/acme");
  const client = await database.pool.connect();
  await client.query("set daybook.tenant = 'acme'");
  await drainAll(client, handler);
  await client.query("reset daybook.tenant");
  client.release();
  t.equal((await readEffects(database)).length, 2);
});

t.test("nor where a function did it, which no statement shows", async (t) => {
  const database = await testDatabase(t);
  await effectsTable(database);
  await database.pool.query(`
    create table narrowed (stream_id text, version bigint, tenant text);
    create function public.narrow() returns void language sql as $$ select set_config('daybook.tenant', 'other', true) $$`);
  await append(database, "a-1/acme", "a-1/acme", "a-1/acme", "a-1/acme", "b-1", "b-1", "a-1/acme");
  for (const [name, narrowing] of [
    ["each", () => true],
    ["some", (version: bigint) => version === 2n],
    ["none", () => false],
  ] as const) {
    let calls = 0;
    const handler = defineHandler({
      name,
      subscribesTo: ["*"],
      async handle({ streamId, version }, { tx }) {
        calls += 1;
        const text = "insert into narrowed values ($1, $2, current_setting('daybook.' || 'tenant', true))";
        await tx.query(text, [streamId, version]);
        if (narrowing(version)) await tx.query("select public.narrow()");
      },
    });
    await registerHandler(database.db, handler);
    await drainAll(database.db, handler);
    t.same(
      (await database.pool.query("delete from narrowed returning stream_id, version::int, tenant")).rows.map((row) =>
        Object.values(row).join(" "),
      ),
      ["a-1 1 acme", "a-1 2 acme", "a-1 3 acme", "a-1 4 acme", "b-1 1 default", "b-1 2 default", "a-1 5 acme"],
      name,
    );
    t.equal(await value(database, "select count(*)::int from daybook.parked_streams"), 0);
    t.equal(calls > 7, name !== "none", `${name}: ${calls} calls`);
  }
});
