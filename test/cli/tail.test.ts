import { once } from "node:events";
import t, { type Test } from "tap";
import { append, createStore } from "../../src/index.ts";
import { migrate } from "../../src/migrate/index.ts";
import { withClient } from "../support/admin.ts";
import { testCluster } from "../support/cluster.ts";
import { testDatabase } from "../support/database.ts";
import { collect, daybook, objects, start, until } from "./support.ts";

const database = await testDatabase(t);
const { url, pool } = database;
const store = createStore(pool);

function tail(t: Test, args: readonly string[], at = url) {
  const child = start(["tail", "--json", ...args], { url: at });
  t.teardown(() => child.kill("SIGKILL"));
  const output = collect(child);
  return {
    child,
    output,
    closed: once(child, "close"),
    numbers: () => objects(output.stdout).map(({ data }) => (data as { n: number }).n),
  };
}

t.test("from a position on, so many", async (t) => {
  const { lastPosition } = await store.append({
    streamId: "count-1",
    events: [1, 2, 3].map((n) => ({ type: "T", data: { n } })),
  });
  const { code, stdout } = await daybook(["tail", "--json", "--from", String(lastPosition - 1n), "-n", "2"], { url });
  t.equal(code, 0);
  t.same(
    objects(stdout).map(({ position }) => position),
    [Number(lastPosition) - 1, Number(lastPosition)],
  );
});

t.test("from now on, until Ctrl-C", async (t) => {
  await store.append({ streamId: "before-1", events: { type: "T", data: { n: 0 } } });
  const { child, output, closed, numbers } = tail(t, ["--categories", "now"]);
  for (let n = 1; numbers().length === 0; n += 1) {
    await store.append({ streamId: "other-1", events: { type: "T", data: { n: -1 } } });
    await store.append({ streamId: "now-1", events: { type: "T", data: { n } } });
  }
  await store.append({ streamId: "now-1", events: { type: "T", data: { n: 1_000_000 } } });
  await until(
    () => numbers().at(-1) === 1_000_000,
    () => output.stderr,
  );
  t.ok(
    numbers().every((n) => n > 0),
    "nothing of before, nothing of other categories",
  );
  child.kill("SIGINT");
  t.same(await closed, [0, null]);
  t.equal(output.stderr, "");
});

t.test("an event that was numbered early and is committed late comes in its place", async (t) => {
  const start = await store.horizon();
  const { output, numbers, child } = tail(t, ["--from", String(start + 1n)]);
  const client = await pool.connect();
  await client.query("begin");
  await append(client, { streamId: "early-1", events: { type: "T", data: { n: 1 } } });
  await store.append({ streamId: "early-2", events: { type: "T", data: { n: 2 } } });
  await new Promise((done) => setTimeout(done, 1500));
  t.same(numbers(), [], "nothing yet");
  await client.query("commit");
  client.release();
  await until(
    () => numbers().length === 2,
    () => output.stderr,
  );
  t.same(numbers(), [1, 2]);
  child.kill("SIGTERM");
});

t.test("over restarts of the server, kind and unkind: nothing is left out, nothing comes twice", async (t) => {
  t.setTimeout(120_000);
  const cluster = await testCluster(t);
  await migrate(cluster.url);
  const append = (n: number) =>
    withClient(cluster.url, (client) =>
      client.query("select daybook.append_event('restart-1', 'T', jsonb_build_object('n', $1::int))", [n]),
    );
  await append(1);
  const { child, output, closed, numbers } = tail(t, ["--from", "1"], cluster.url);
  await until(
    () => numbers().length === 1,
    () => output.stderr,
  );
  for (const [i, end] of [() => cluster.restart(), () => cluster.kill9().then(() => cluster.restart())].entries()) {
    await append(2 + 3 * i);
    await end();
    await append(3 + 3 * i);
    await append(4 + 3 * i);
    await until(
      () => numbers().length === 4 + 3 * i,
      () => `${output.stdout}${output.stderr}`,
    );
  }
  t.same(numbers(), [1, 2, 3, 4, 5, 6, 7]);
  t.match(output.stderr, /the connection was lost .*\nconnected again/);
  child.kill("SIGINT");
  t.same(await closed, [0, null]);
});

t.test("a log that was set back is told, not followed", async (t) => {
  t.setTimeout(120_000);
  const cluster = await testCluster(t);
  await migrate(cluster.url);
  await withClient(cluster.url, (client) =>
    client.query("select daybook.append_event('back-1', 'T', '{\"n\": 1}') from generate_series(1, 5)"),
  );
  const { output, closed, numbers } = tail(t, ["--from", "1"], cluster.url);
  await until(
    () => numbers().length === 5,
    () => output.stderr,
  );
  await withClient(cluster.url, async (client) => {
    // as a server would be that was restored from an older backup
    await client.query("select setval('daybook.positions', 2)");
    await client.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'daybook'");
  });
  t.same(await closed, [4, null]);
  t.match(output.stderr, "the log ends at position 2, and 5 has been printed");
});

t.test("without a server to begin with", async (t) => {
  const { code, stderr } = await daybook(["tail"], { url: "postgres://nobody@127.0.0.1:1/none" });
  t.equal(code, 3);
  t.match(stderr, /^error: could not connect to .*ECONNREFUSED/);
});
