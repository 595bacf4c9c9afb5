import t from "tap";
import { fourTenants, readable, seen, tenants } from "./four-tenants.ts";
import { inTransaction, type Row, refused, rows, value } from "./support.ts";
import { ways } from "./ways.ts";

const { owner, login } = await fourTenants(t);
t.test("what is narrowed sees and writes that tenant alone, until the transaction ends", async (t) => {
  for (const [name, client] of Object.entries({
    some: await login(["daybook_writer"], ["one", "two"]),
    all: await login(["daybook_writer"], ["*"]),
    worker: await login(["daybook_worker"], []),
  })) {
    const before = await seen(client, "daybook.events");
    for (const tenant of ["one", "two", "one"]) {
      await inTransaction(client, async () => {
        await client.query(`set local daybook.tenant = ${tenant}`);
        for (const relation of readable)
          t.same(await seen(client, relation), [tenant], `${name}: ${relation} narrowed to ${tenant}`);
        t.same(await seen(client, "daybook.read_stream('shared-1')"), [tenant], "reads without naming it");
        for (const way of ways) {
          const { first } = await way.append(client, { stream: `narrow ${way.name}-1`, events: [{ type: "T" }] });
          t.equal(
            await value(client, "select tenant_id from daybook.events where position = $1", [first]),
            tenant,
            way.name,
          );
          await way.append(client, { stream: `narrow ${way.name}-1`, events: [{ type: "T" }], tenant });
        }
      });
      t.same(await seen(client, "daybook.events"), before, `${name}: as before when the transaction is over`);
    }
    for (const end of ["commit", "rollback"]) {
      await client.query("begin; set local daybook.tenant = 'one'");
      await client.query("savepoint s");
      const detail = await refused(t, "YD202", `${name}: another tenant`, () =>
        client.query("select daybook.read_stream('shared-1', tenant_id => 'two')"),
      );
      t.same(detail, { tenant_id: "two", narrowed_to: "one" });
      for (const way of ways) {
        await client.query("rollback to s");
        await refused(t, "YD202", `${name}: ${way.name} to another tenant`, () =>
          way.append(client, { stream: "shared-1", events: [{ type: "T" }], tenant: "two" }),
        );
      }
      await client.query("rollback to s");
      t.same(await rows(client, "select from daybook.events where tenant_id = 'two'"), []);
      await client.query(end);
    }
    t.equal(await value(client, "select current_setting('daybook.tenant')"), "");
    const result = await ways[1]?.append(client, { stream: "after-1", events: [{ type: "T" }], tenant: "two" });
    t.match(result, { duplicate: false }, `${name}: not narrowed any more`);
  }
});

t.test("narrowing to what is not granted shows nothing and writes nothing", async (t) => {
  const client = await login(["daybook_writer"], ["one"]);
  for (const tenant of ["two", "default", "*", "nobody"]) {
    await client.query(`begin; set local daybook.tenant = '${tenant}'; savepoint s`);
    for (const relation of readable) t.same(await seen(client, relation), [], `${relation} narrowed to ${tenant}`);
    const code = tenant === "*" ? "YD203" : "YD201";
    await refused(t, code, "read_stream", () => client.query("select daybook.read_stream('shared-1')"));
    for (const way of ways) {
      await client.query("rollback to s");
      await refused(t, code, `${way.name} narrowed to ${tenant}`, () =>
        way.append(client, { stream: "shared-1", events: [{ type: "T" }] }),
      );
    }
    await client.query("rollback");
  }
});

t.test("a pooled connection that other tenants have used before is as good as new", async (t) => {
  const client = await login(["daybook_writer"], ["one", "two"]);
  const work = async (tenant: string): Promise<Row[]> =>
    inTransaction(client, async () => {
      await client.query("select set_config('daybook.tenant', $1, true)", [tenant]);
      await client.query({ name: "append", text: "select daybook.append_event('pooled-1', 'T')" });
      return (await client.query<Row>({ name: "read", text: "select distinct tenant_id from daybook.events" })).rows;
    });
  for (let n = 0; n < 16; n++) {
    const tenant = n % 3 ? "one" : "two";
    t.same(await work(tenant), [{ tenant_id: tenant }]);
  }
  t.equal(await value(owner, "select daybook.stream_version('pooled-1', 'one')"), 10);
  t.equal(await value(owner, "select daybook.stream_version('pooled-1', 'two')"), 6);
});

t.test("a session setting narrows as well", async (t) => {
  const client = await login(["daybook_writer"], ["*"]);
  await client.query("set daybook.tenant = 'three'");
  await client.query("select daybook.append_event('session-1', 'T')");
  t.same(await seen(client, "daybook.events"), ["three"]);
  await refused(t, "YD202", "another", () =>
    client.query("select daybook.append_event('session-1', 'T', tenant_id => 'one')"),
  );
  await client.query("reset daybook.tenant");
  t.same(await seen(client, "daybook.events"), tenants.toSorted());
});
