import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import t from "tap";
import { drainProjection, projectionStatus, registerProjection } from "../../src/index.ts";
import { applyFunctions, codeCounts, seen, sqlCounts, tell, visits } from "../projections/support.ts";
import { testDatabase } from "../support/database.ts";
import { work } from "../worker/support.ts";
import { cells, collect, daybook, environment, main, objects, start, until } from "./support.ts";

const database = await testDatabase(t);
const { db, pool } = database;
t.setTimeout(180_000);
const run = (...args: string[]) => daybook(["projections", ...args], { url: database.url });

t.test("none", async (t) => {
  t.same(await run(), {
    code: 0,
    stdout: "name\tversion\tmode\tstate\tposition\tbehind\tlag_seconds\thealth\tbuilding\tneeds_person\n",
    stderr: "",
  });
  const { code, stderr } = await run("show", "counts");
  t.equal(code, 4);
  t.match(stderr, "YD601");
});

t.test("list and show", async (t) => {
  await applyFunctions(database);
  await registerProjection(db, sqlCounts());
  await tell(db, "a-1", 3);
  const [[name, version, mode, state, position, behind, , health, building, needs] = []] = cells((await run()).stdout);
  t.same(
    [name, version, mode, state, position, behind, health, building, needs],
    ["counts", "1", "async", "running", "0", "3", "good", "", "false"],
  );
  const shown = Object.fromEntries(cells((await run("show", "counts")).stdout));
  t.match(shown, { name: "counts", apply: "app.counts", tables: '["counts"]', behind: "3" });
  t.match(objects((await run("show", "counts", "--json")).stdout), [{ name: "counts", behind: 3, last_error: null }]);
});

t.test("rebuild, without any worker", async (t) => {
  const { code, stdout, stderr } = await run("rebuild", "counts");
  t.same([code, stdout], [0, "version 2 of projection counts is live\n"], stderr);
  t.match(stderr, /^version 2 of counts: 0 %/);
  t.same(await seen(database), { "a-1": 3 });
  const lines = objects((await run("rebuild", "counts", "--json")).stdout);
  t.match(lines[0], { projection: "counts", version: 3, state: "building", progress: 0 });
  t.match(lines.at(-1), { projection: "counts", version: 3, state: "live" });
});

t.test("rebuild: begun only, given up, gone on with", async (t) => {
  t.equal((await run("rebuild", "counts", "--no-wait")).stdout, "version 4 of projection counts is being built\n");
  t.match(cells((await run()).stdout)[0]?.[8], /^version 4, \d+ %$/);
  t.equal(
    (await run("drop-rebuild", "counts", "--reason", "later")).stdout,
    "gave up the rebuild of projection counts\n",
  );
  t.equal((await run("drop-rebuild", "counts")).code, 1);
  await run("rebuild", "counts", "--no-wait");
  const { code, stdout, stderr } = await run("rebuild", "counts");
  t.same([code, stdout], [0, "version 5 of projection counts is live\n"]);
  t.match(stderr, "version 5 is being built already");
});

t.test("Ctrl-C leaves the rebuild as it is, and says so; again it is gone on with", async (t) => {
  await pool.query(
    "select daybook.append('b-' || n % 7, (select jsonb_agg(jsonb_build_object('type', 'Told')) from generate_series(1, 1000))) from generate_series(1, 30) n",
  );
  await pool.query(`
    create function app.slow(events daybook.event[]) returns void language plpgsql as $$ begin
      perform pg_sleep(0.05);
      insert into counts as c (stream_id, events) select e.stream_id, count(*) from unnest(events) e group by 1 order by 1
      on conflict (stream_id) do update set events = c.events + excluded.events;
    end $$`);
  await pool.query("select daybook.replace_projection('counts', 'app.slow')");
  const child = start(["projections", "rebuild", "counts"], { url: database.url });
  const output = collect(child);
  const closed = new Promise((done) => child.once("close", done));
  await until(
    async () => ((await projectionStatus(db))[0]?.building?.progress ?? 0) > 0.1,
    () => output.stderr,
  );
  child.kill("SIGINT");
  t.equal(await closed, 1, output.stderr);
  t.match(output.stderr, /version 6 of projection counts is not finished; what was built is kept/);
  t.match(output.stderr, /hint: Go on: daybook projections rebuild counts/);
  const [before] = await projectionStatus(db);
  t.equal(before?.version, 5);
  t.ok(Number(before?.building?.position) > 0, "what was built is kept");
  t.equal((await run("rebuild", "counts")).code, 0);
  t.match(await projectionStatus(db), [{ version: 6, building: null }]);
  t.match(await seen(database), { "a-1": 3, "b-0": 4000, "b-1": 5000 });
});

t.test("rebuild beside a worker, of code in TypeScript too", async (t) => {
  const code = codeCounts({
    name: "more",
    tables: { counts: "stream_id text primary key, events bigint" },
    schema: "more",
  });
  await pool.query("create schema more; grant usage, create on schema more to daybook_projector");
  await work(t, database, { projections: [code] });
  t.match(await run("rebuild", "more"), { code: 0, stdout: "version 2 of projection more is live\n" });
  t.match(await run("rebuild", "counts"), { code: 0, stdout: "version 7 of projection counts is live\n" });
});

t.test("a rebuild that fails leaves the live version; the reason is told", async (t) => {
  await registerProjection(
    db,
    sqlCounts({ name: "visits", apply: "app.visits", tables: visits, retry: { attempts: 1 } }),
  );
  await drainProjection(db, "visits");
  await tell(db, "bad-1", 1, { fail: true });
  const { code, stderr } = await run("rebuild", "visits");
  t.equal(code, 1);
  t.match(stderr, /version 2 of projection visits is halted: .*cannot take it/);
  t.match(stderr, "daybook projections resume visits@2");
  t.match((await projectionStatus(db, { name: "visits" }))[0], { version: 1 });
  await run("drop-rebuild", "visits");
});

t.test("pause, resume, reset, wait, drop", async (t) => {
  t.equal((await run("pause", "counts", "--reason", "a look")).stdout, "paused projection counts\n");
  const position = String(await tell(db, "a-1"));
  const late = await run("wait", "counts", "--timeout", "0.1");
  t.equal(late.code, 1);
  t.match(late.stderr, /has not come to/);
  t.equal((await run("resume", "counts")).stdout, "resumed projection counts\n");
  await drainProjection(db, "counts");
  t.equal((await run("wait", "counts", position)).stdout, `counts is at position ${position}\n`);
  t.equal((await run("wait", "counts", "1", "--timeout", "soon")).code, 2);
  t.equal((await run("reset", "counts", "--reason", "again")).stdout, "reset projection counts\n");
  t.same(await seen(database), {});
  await pool.query("create view busiest as select * from daybook_projections.counts order by events desc");
  const kept = await run("drop", "counts");
  t.equal(kept.code, 4);
  t.match(kept.stderr, "YD604");
  t.equal((await run("drop", "counts", "--cascade")).stdout, "dropped projection counts\n");
});

t.test("parked streams and dead letters", async (t) => {
  const retry = { attempts: 1 };
  await registerProjection(
    db,
    sqlCounts({
      name: "parking",
      apply: "app.visits",
      tables: { visits: visits.visits },
      schema: "more",
      onFailure: "park",
      retry,
    }),
  );
  for (let more = true; more; ) more = (await drainProjection(db, "parking")).more;
  t.match(cells((await run("parked", "parking")).stdout)[0], ["parking", "bad-1"]);
  const [[letter = ""] = []] = cells((await run("dead-letters")).stdout);
  t.match(await run("retry", letter), { code: 0, stdout: "retrying 1 dead letter\n" });
  t.match(await run("discard", "--name", "parking", "--reason", "nobody wants it"), { code: 0 });
});

const script = spawnSync("script", ["--version"]).status === 0 ? false : "script is missing: apt-get install bsdutils";

t.test("on a terminal: a bar, and how long it takes", { skip: script }, async (t) => {
  await registerProjection(
    db,
    sqlCounts({ name: "bar", apply: "app.slow", tables: { counts: "stream_id text primary key, events bigint" } }),
  );
  const command = `${process.execPath} ${main} projections rebuild bar`;
  const child = spawn("script", ["-qec", command, "/dev/null"], {
    env: environment({ url: database.url, env: { SHELL: "/bin/sh", TERM: "xterm" } }),
  });
  const output = collect(child);
  child.stdin.end();
  const [code] = await once(child, "close");
  t.equal(code, 0, output.stdout);
  t.ok(output.stdout.includes(`\r\u001b[2K[${".".repeat(24)}] 0 %`));
  t.match(output.stdout, /\[#+\.+\] \d+ %, about \d+ s left/);
  t.ok(output.stdout.endsWith("\r\u001b[2Kversion 2 of projection bar is live\r\n"), "nothing is left of it");
});
