import t from "tap";
import { createStore } from "../../src/index.ts";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { cells, daybook, objects } from "./support.ts";

const database = await testDatabase(t);
const { url, pool } = database;
const store = createStore(pool);
const run = (...args: string[]) => daybook(args, { url });

const correlation = "0198c7f2-0000-7000-8000-000000000001";
const id = (n: number) => `0198c7f2-0000-7000-8000-00000000${n}00`;
for (const [n, cause, type] of [
  [10, null, "CheckedIn"],
  [11, 10, "Called"],
  [12, 11, "Billed"],
  [13, 11, "Attended"],
  [14, 10, "Greeted"],
  [15, null, "Other"],
] as const) {
  await store.append({
    streamId: `${type.toLowerCase()}-1`,
    events: {
      type,
      data: { n },
      eventId: id(n),
      correlationId: correlation,
      causationId: cause === null ? undefined : id(cause),
    },
  });
}

t.test("trace draws a tree", async (t) => {
  const { code, stdout } = await run("trace", correlation);
  t.equal(code, 0);
  t.same(
    cells(stdout).map(([event]) => event),
    ["CheckedIn", "├─ Called", "│  ├─ Billed", "│  └─ Attended", "└─ Greeted", "Other"],
  );
  const all = objects((await run("trace", correlation, "--json")).stdout);
  t.same(
    all.map(({ depth, type }) => [depth, type]),
    [
      [0, "CheckedIn"],
      [1, "Called"],
      [2, "Billed"],
      [2, "Attended"],
      [1, "Greeted"],
      [0, "Other"],
    ],
  );
  t.match(all[1], { event_id: id(11), causation_id: id(10), data: { n: 11 } });
});

t.test("trace of nothing", async (t) => {
  t.equal((await run("trace", id(10))).code, 1);
  t.equal((await run("trace", "x")).code, 2);
});

t.test("streams, by category, tenant and number", async (t) => {
  await pool.query(
    "select daybook.append_event('page-' || lpad(n::text, 4, '0'), 'T') from generate_series(1, 1100) n",
  );
  await pool.query(
    "select daybook.append_event('pages-1', 'T'), daybook.append_event('page', 'T'), daybook.append_event('page-1', 'T', tenant_id => 'acme')",
  );
  const all = await run("streams");
  t.equal(cells(all.stdout).length, 6 + 1100 + 2);
  t.match(all.stdout, /^stream_id\tversion\tfirst_recorded_at\tlast_recorded_at\nattended-1\t1\t/);
  const pages = cells((await run("streams", "page")).stdout).map(([name]) => name);
  t.same(pages, ["page", ...Array.from({ length: 1100 }, (_, i) => `page-${String(i + 1).padStart(4, "0")}`)]);
  t.equal(objects((await run("streams", "page", "--count", "1050", "--json")).stdout).length, 1050);
  t.match(objects((await run("streams", "--tenant", "acme", "--json")).stdout), [
    {
      tenant_id: "acme",
      stream_id: "page-1",
      category: "page",
      version: 1,
      first_recorded_at: /Z$/,
      last_recorded_at: /Z$/,
    },
  ]);
  t.match((await run("streams", "page", "--tenant", "*", "-n", "1")).stdout, /^tenant_id\tstream_id.*\nacme\tpage-1\t/);
  t.equal((await run("streams", "nothing")).code, 1);
  t.equal((await run("streams", "--tenant", "nobody")).code, 0, "there is none, and none was asked for");
});

t.test("partitions: what there is, making more, sealing old ones", async (t) => {
  const before = objects((await run("partitions", "--json")).stdout);
  t.match(before[0], { partition: /^event_log_\d{4}_\d\d$/, state: "current", range_from: /Z$/, passed: false });
  const made = await run("partitions", "ensure", "--months", "6");
  t.match(made.stdout, new RegExp(`^made ${7 - before.length} partitions: event_log_`));
  t.equal((await run("partitions", "ensure", "--months", "6")).stdout, "none is missing\n");
  t.equal((await run("partitions", "ensure", "--months", "121")).code, 4);
  t.equal(cells((await run("partitions")).stdout).length, 7);
  t.equal((await run("partitions", "seal")).stdout, "none was sealed\n");
  await pool.query("select daybook._make_partition('2020-01-01Z')");
  t.equal((await run("partitions", "seal")).stdout, "sealed 1 partition: event_log_2020_01\n");
  t.match(objects((await run("partitions", "--json")).stdout)[0], { partition: "event_log_2020_01", state: "sealed" });
  t.equal((await run("partitions", "seal", "--json")).stdout, "");
});

t.test("status", async (t) => {
  const { code, stdout } = await run("status");
  t.equal(code, 0);
  for (const line of [
    /^database\tpostgres/m,
    /^server\tPostgreSQL 1\d/m,
    /^Daybook\t.*, up to date$/m,
    /^missing\tnone$/m,
  ])
    t.match(stdout, line);
  await pool.query("analyze");
  const [status] = objects((await run("status", "--json")).stdout);
  t.match(status, {
    up_to_date: true,
    newer: false,
    pending_migrations: [],
    changed_objects: [],
    log: { events: 1109, last_position: 1109, horizon: 1109 },
    streams: 1109,
    partitions: { count: 8 },
    missing_partitions: [],
  });
  t.equal(status?.version, status?.installed_version);
  t.notMatch(String(status?.database), /:[^/@]+@/, "without the password");
});

t.test("status of what is not as it should be", async (t) => {
  const broken = await testDatabase(t);
  await broken.pool.query("update daybook.installed_objects set hash = 'x' where name = 'functions/append.sql'");
  await broken.pool.query("delete from daybook.event_partitions where range_from > now() + interval '1 month'");
  const client = await broken.pool.connect();
  await client.query("begin");
  await client.query("select daybook.append_event('a-1', 'T') from generate_series(1, 3)");
  const { code, stdout } = await daybook(["status"], { url: broken.url });
  t.equal(code, 1);
  t.match(stdout, /^Daybook\t.*, behind .*: daybook migrate$/m);
  t.match(stdout, /^horizon\t0, 3 positions in flight$/m);
  t.match(stdout, /^missing\t\d{4}-\d\d, \d{4}-\d\d: daybook partitions ensure$/m);
  await client.query("rollback");
  client.release();
  await broken.pool.query("update daybook.installation set version = '999.0.0'");
  const newer = await daybook(["status"], { url: broken.url });
  t.equal(newer.code, 0, "an older program does nothing about it");
  t.match(newer.stdout, "999.0.0, newer than this program");
});

t.test("a reader sees what it may", async (t) => {
  const reader = await roleLogin(database, { roles: ["daybook_reader"] });
  const as = (...args: string[]) => daybook(args, { url: reader });
  t.equal((await as("read", "billed-1")).code, 0);
  t.equal((await as("read", "--backwards", "-n", "1")).code, 0);
  t.equal((await as("tail", "--from", "1", "-n", "1")).code, 0);
  t.equal((await as("streams", "page", "-n", "1")).code, 0);
  t.equal((await as("trace", correlation)).code, 0);
  t.equal((await as("read", "page-1", "--tenant", "acme")).code, 4);
  const append = await as("append", "billed-1", "T");
  t.equal(append.code, 4);
  t.match(append.stderr, /\(42501\)\nhint: /);
  const status = await as("status");
  t.match(status.stdout, /^last position\t1109$/m);
  t.notMatch(status.stdout, "partitions");
});
