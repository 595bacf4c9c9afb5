import t from "tap";
import { fourTenants, readable, seen, tenants } from "./four-tenants.ts";
import { column, failure, refused, rows, value, writesNothing } from "./support.ts";
import { ways } from "./ways.ts";

const { database, owner, login } = await fourTenants(t);
interface Case {
  grants: string[];
  sees: string[];
}
const cases: Record<string, Case> = {
  "none (it has the tenant default)": { grants: [], sees: ["default"] },
  one: { grants: ["one"], sees: ["one"] },
  some: { grants: ["one", "two"], sees: ["one", "two"] },
  "default and one": { grants: ["default", "one"], sees: ["default", "one"] },
  all: { grants: ["*"], sees: tenants },
  "all, and one beside": { grants: ["*", "one"], sees: tenants },
};

for (const [name, { grants, sees }] of Object.entries(cases)) {
  for (const role of ["daybook_reader", "daybook_writer"]) {
    t.test(`${role}, granted ${name}: sees these tenants and no other`, async (t) => {
      const client = await login([role], grants);
      for (const relation of readable) t.same(await seen(client, relation), sees.toSorted(), relation);
      for (const tenant of tenants) {
        const count = () =>
          value(client, "select count(*) from daybook.read_stream('shared-1', tenant_id => $1)", [tenant]);
        if (sees.includes(tenant)) t.ok(Number(await count()) >= 2, tenant);
        else t.match(await refused(t, "YD201", tenant, count), { tenant_id: tenant });
      }
    });
  }

  t.test(`daybook_writer, granted ${name}: writes these tenants and no other`, async (t) => {
    const client = await login(["daybook_writer"], grants);
    for (const way of ways) {
      for (const tenant of tenants) {
        for (const stream of ["shared-1", `new ${way.name}-${crypto.randomUUID()}`]) {
          const call = () => way.append(client, { stream, events: [{ type: "T" }], tenant });
          if (sees.includes(tenant)) {
            const { first } = await call();
            t.equal(
              await value(owner, "select tenant_id from daybook.events where position = $1", [first]),
              tenant,
              `${way.name} to ${tenant}`,
            );
          } else {
            await writesNothing(t, owner, `${way.name} to ${tenant}`, async () => {
              t.match(await refused(t, "YD201", way.name, call), { tenant_id: tenant });
            });
          }
        }
      }
      const call = () => way.append(client, { stream: "unnamed-1", events: [{ type: "T" }] });
      if (sees.includes("default")) await call();
      else t.match(await refused(t, "YD201", `${way.name} to no tenant by name`, call), { tenant_id: "default" });
    }
  });
}

t.test("daybook_worker and daybook_admin see every tenant, whatever they are granted", async (t) => {
  for (const role of ["daybook_worker", "daybook_admin"]) {
    for (const granted of [[], ["one"]]) {
      const client = await login([role], granted);
      for (const relation of readable) t.same(await seen(client, relation), tenants.toSorted(), `${role}: ${relation}`);
    }
  }
  t.same(await seen(owner, "daybook.events"), tenants.toSorted(), "the owner, a superuser, too");
});

t.test("a login without Daybook's roles sees and does nothing", async (t) => {
  const client = await login([], ["*"]);
  for (const relation of readable)
    t.equal((await failure(() => client.query(`select from ${relation}`))).code, "42501", relation);
  t.equal((await failure(() => client.query("select daybook.append_event('a-1', 'T')"))).code, "42501");
});

t.test("a grant to a role is a grant to its members", async (t) => {
  const team = `${database.name}_team`;
  database.logins.push(team);
  await owner.query(`create role ${team}`);
  await owner.query("select daybook.grant_tenant($1, 'three')", [team]);
  const client = await login(["daybook_writer"], ["one"]);
  t.same(await seen(client, "daybook.events"), ["one"]);
  await owner.query(`grant ${team} to "${client.user}"`);
  t.same(await seen(client, "daybook.events"), ["one", "three"], "at once");
  await owner.query("select daybook.revoke_tenant($1, 'three')", [team]);
  t.same(await seen(client, "daybook.events"), ["one"]);
  await owner.query("select daybook.grant_tenant($1, '*')", [team]);
  t.same(await seen(client, "daybook.events"), tenants.toSorted());
  await owner.query("select daybook.revoke_tenant($1, '*')", [team]);
  t.same(await seen(client, "daybook.events"), ["one"]);
});

t.test("revoked is revoked, in open sessions too; the last one leaves the tenant default", async (t) => {
  const client = await login(["daybook_writer"], ["one", "two"]);
  const append = (tenant: string) =>
    client.query({
      name: "append",
      text: "select daybook.append_event('r-1', 'T', tenant_id => $1)",
      values: [tenant],
    });
  for (let n = 0; n < 7; n++) await append("two");
  await owner.query("select daybook.revoke_tenant($1, 'two')", [client.user]);
  await refused(t, "YD201", "append", () => append("two"));
  t.same(await seen(client, "daybook.events"), ["one"]);
  await owner.query("select daybook.revoke_tenant($1, 'two')", [client.user]);
  t.pass("revoking twice is no error");
  await owner.query("select daybook.revoke_tenant($1, 'one')", [client.user]);
  t.same(await seen(client, "daybook.events"), ["default"]);
});

t.test("idempotency keys and streams of the same name stand apart", async (t) => {
  const client = await login(["daybook_writer"], ["*"]);
  for (const tenant of ["one", "two"]) {
    for (const duplicate of [false, true]) {
      t.match(
        await rows(client, `select * from daybook.append('apart-1', $1, 0, 'same key', $2)`, [
          JSON.stringify([{ type: `Of${tenant}` }]),
          tenant,
        ]),
        [{ stream_version: 1, duplicate }],
      );
    }
  }
});

t.test("a batch may hold entries of several tenants, each checked on its own", async (t) => {
  const client = await login(["daybook_writer"], ["one", "two"]);
  const entries = ["one", "two", "three", "default"].map((tenant_id) => ({
    stream_id: "batch-1",
    events: [{ type: "T" }],
    tenant_id,
  }));
  const result = await rows(client, "select status, error ->> 'code' as code from daybook.append_batch($1, 'one')", [
    JSON.stringify(entries),
  ]);
  t.same(result, [
    { status: "appended", code: null },
    { status: "appended", code: null },
    { status: "failed", code: "YD201" },
    { status: "failed", code: "YD201" },
  ]);
  t.same(await column(owner, "select tenant_id from daybook.streams where stream_id = 'batch-1' order by 1"), [
    "one",
    "two",
  ]);
});

t.test("neither a leaky function, nor statistics, nor row_security = off show other tenants", async (t) => {
  await owner.query("analyze daybook.event_log, daybook.stream_heads, daybook.idempotency_keys");
  for (const role of ["daybook_reader", "daybook_writer"]) {
    const client = await login([role], ["one"]);
    const leaked: string[] = [];
    client.on("notice", (n) => leaked.push(String(n.message)));
    await client.query(`
      create function pg_temp.leak(text) returns boolean language plpgsql cost 0.0000001 as $$ begin raise notice '%', $1; return true; end $$`);
    for (const relation of ["daybook.events", "daybook.streams", "daybook.stream_heads", "daybook.event_log"]) {
      await client.query(`select count(*) from ${relation} where pg_temp.leak(tenant_id)`);
    }
    t.same(new Set(leaked), new Set(["one"]), `${role}: leaky function`);
    t.same(
      await column(
        client,
        "select distinct tablename from pg_stats where schemaname = 'daybook' and tablename ~ '^(event_log|stream_heads|idempotency_keys)'",
      ),
      [],
      `${role}: statistics`,
    );
    await client.query("set row_security = off");
    for (const relation of readable)
      t.equal((await failure(() => client.query(`select from ${relation}`))).code, "42501", `${role}: ${relation}`);
  }
});
