import t from "tap";
import { append, claimParked, consumerStore, finish } from "./drains.ts";
import { refused, row, rows, value } from "./support.ts";

/* A person has a parked stream tried before its delay is over. */

const { admin, worker, writer } = await consumerStore(t);
await admin.query(
  "select daybook.create_handler('h', max_attempts => 2, base_delay => '1 hour', max_delay => '1 hour')",
);
const [first = 0, second = 0] = [...(await append(writer, ["a-1"])), ...(await append(writer, ["a-1"], "T", "acme"))];
for (const [position, tenant] of [
  [first, "default"],
  [second, "acme"],
])
  await value(
    worker,
    "select daybook.fail_message('handler', 'h', 0, 0, $1::bigint, 'a-1', gen_random_uuid(), 'T', '{}', tenant_id => $2)",
    [position, tenant],
  );
await finish(worker, { name: "h" }, 0, second);

t.test("retry_parked: at once, of one tenant, its tries count on; it is written down", async (t) => {
  t.same(await claimParked(worker, { name: "h" }), [], "not due");
  await admin.query("select daybook.retry_parked('handler', 'h', 'a-1')");
  t.match(await claimParked(worker, { name: "h" }), [{ tenant_id: "default", stream_id: "a-1", attempts: 1 }]);
  t.match(await row(admin, "select * from daybook.audit order by entry desc limit 1"), {
    action: "retry_parked",
    subject: "handler h",
    details: { tenant_id: "default", stream_id: "a-1", position: first, attempts: 1 },
  });
  await admin.query("select daybook.retry_parked('handler', 'h', 'a-1', 'acme')");
  t.equal((await claimParked(worker, { name: "h" })).length, 2);
});

t.test("retry_parked: refused where nothing waits for its time", async (t) => {
  for (const args of [
    "'handler', 'h', 'a-2'",
    "'handler', 'x', 'a-1'",
    "'route', 'h', 'a-1'",
    "'handler', 'h', null",
    "null, null, null",
  ])
    await refused(t, "YD504", args, () => rows(admin, `select daybook.retry_parked(${args})`));
  await value(worker, "select daybook.fail_parked('handler', 'h', 'a-1', $1::bigint, gen_random_uuid(), 'T', '{}')", [
    first,
  ]);
  await t.rejects(rows(admin, "select daybook.retry_parked('handler', 'h', 'a-1')"), {
    code: "YD504",
    hint: /retry_dead_letters\('handler', 'h', stream_id => 'a-1'\)/,
  });
  await t.rejects(rows(worker, "select daybook.retry_parked('handler', 'h', 'a-1', 'acme')"), { code: "42501" });
});
