import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import t from "tap";
import { createLedger } from "../../examples/waiting-room/ledger.ts";
import { isSound, summary } from "../../examples/waiting-room/report.ts";
import { createStore, type StoredEvent } from "../../src/index.ts";
import { collect, environment, type RunOptions, until } from "../cli/support.ts";
import { temporaryDirectory } from "../dev/support.ts";
import { testCluster } from "../support/cluster.ts";
import { testDatabase } from "../support/database.ts";

const program = fileURLToPath(new URL("../../examples/waiting-room/start.ts", import.meta.url));

function start(args: readonly string[], options: RunOptions) {
  const child = spawn(process.execPath, [program, ...args], { env: environment(options), cwd: options.cwd });
  const output = collect(child);
  return { child, output, closed: once(child, "close") };
}

const numberAfter = (text: string, name: string) => Number(new RegExp(`^${name}: (\\d+)`, "m").exec(text)?.[1]);

t.test("it runs, retries conflicts, loses nothing, and stops by itself", async (t) => {
  const { url, pool } = await testDatabase(t, { template: false });
  const { output, closed } = start(
    ["--exit", "--seconds", "3", "--rate", "120", "--receptionists", "9", "--seed", "1"],
    { url },
  );
  t.same(await closed, [0, null], output.stderr);
  t.match(output.stdout, /^Daybook installed$/m);
  t.match(output.stdout, /^waiting \d+ \(north \d+, south \d+, children \d+\) · /m);
  t.match(output.stdout, /^per second: \d+\.\d$/m);
  t.match(output.stdout, /^append latency: p50 \d+\.\d ms, p95 \d+\.\d ms$/m);
  t.match(output.stdout, /^visits in the read table: (\d+) of \1$/m);
  t.match(output.stdout, /^arrivals announced: (\d+) of \1$/m);
  t.match(output.stdout, /^read models: as the log says$/m);
  t.match(output.stdout, / · queue \d+.*; today \d+ came, \d+ called, \d+ gave up · /);
  t.match(output.stdout, /^lost: 0$/m);
  t.ok(numberAfter(output.stdout, "conflicts retried") > 0, "receptionists get in each other's way");

  const appended = numberAfter(output.stdout, "events appended");
  const { rows } = await pool.query(
    "select count(*)::int as events from daybook.events where category = 'waiting_room'",
  );
  t.same(rows, [{ events: appended }]);
  const visits = await pool.query(
    "select count(distinct correlation_id)::int as visits, count(*) filter (where type = 'PatientCheckedIn')::int as arrivals from daybook.events",
  );
  t.equal(visits.rows[0].visits, visits.rows[0].arrivals, "a visit is one story");
  const twice = await pool.query(
    "select from daybook.events where type = 'PatientCalled' group by correlation_id having count(*) > 1",
  );
  t.equal(twice.rowCount, 0, "nobody is called twice");
});

t.test("a second run goes on with the data of the first; Ctrl-C ends it with the same summary", async (t) => {
  const { url, pool } = await testDatabase(t);
  t.same(await start(["--seconds", "0.5"], { url }).closed, [0, null]);
  const before = await createStore(pool).horizon();
  const { child, output, closed } = start([], { url });
  await until(
    () => /^waiting .* [1-9]\d* events/m.test(output.stdout),
    () => output.stderr,
  );
  child.kill("SIGINT");
  t.same(await closed, [0, null]);
  t.match(output.stdout, /^lost: 0$/m);
  t.ok((await createStore(pool).horizon()) > before);
  const { rowCount } = await pool.query(
    "select from daybook.events where type = 'PatientCheckedIn' group by stream_id having count(*) <> count(distinct correlation_id)",
  );
  t.equal(rowCount, 0);
});

t.test("with the embedded server, in a directory of its own", async (t) => {
  t.setTimeout(120_000);
  const cwd = temporaryDirectory(t);
  for (const installed of [true, false]) {
    const { output, closed } = start(["--exit", "--seconds", "1"], { cwd });
    t.same(await closed, [0, null], output.stderr);
    t.match(output.stdout, /^embedded PostgreSQL 18: postgres:/m);
    t.equal(output.stdout.includes("Daybook installed"), installed);
    t.match(output.stdout, /^lost: 0$/m);
  }
});

t.test("the server goes away in the middle", async (t) => {
  t.setTimeout(120_000);
  const cluster = await testCluster(t);
  const { output, closed } = start([], { url: cluster.url });
  await until(
    () => /^waiting .* [1-9]\d* events/m.test(output.stdout),
    () => output.stderr,
  );
  await cluster.kill9();
  t.same(await closed, [3, null], output.stderr);
  t.match(output.stderr, /^error: .*\n/);
  t.notMatch(output.stderr, /^\s+at /m);
});

t.test("what goes wrong is a line and a hint", async (t) => {
  for (const [args, url, code, message] of [
    [[], "postgres://127.0.0.1:1/none", 3, /^error: could not connect to .*ECONNREFUSED.*\nhint: /],
    [["--nope"], "", 2, /^error: Unknown option '--nope'/],
    [["--rate", "0"], "", 2, /^error: --rate is a number/],
    [["--seconds", "soon"], "", 2, /^error: --seconds is a number/],
  ] as const) {
    const { output, closed } = start(args, { url });
    t.same(await closed, [code, null]);
    t.match(output.stderr, message);
    t.notMatch(output.stderr, /^\s+at /m);
  }
  const help = start(["--help"], {});
  t.same(await help.closed, [0, null]);
  t.match(help.output.stdout, "--receptionists");
});

t.test("the ledger notices what is lost, comes twice, or is out of order", async (t) => {
  const all = { arrivals: 2, visits: 2, announced: 2, received: null, differences: 0 };
  const event = (eventId: string, position: bigint) =>
    ({ eventId, position, version: position, metadata: { run: "mine" } }) as unknown as StoredEvent;
  const sound = createLedger("mine");
  sound.stored("a", 1);
  sound.read(event("a", 1n));
  sound.read(event("b", 2n));
  sound.stored("b", 1);
  t.ok(isSound(sound.balance(), all), "the log may be quicker than the acknowledgement");

  const lost = createLedger("mine");
  lost.stored("a", 1);
  t.notOk(lost.isSettled());
  t.notOk(isSound(lost.balance(), all));
  t.match(summary(lost.balance(), all, 1), /^lost: 1$/m);

  for (const part of [{ visits: 1 }, { visits: 3 }, { announced: 0 }, { received: 1 }]) {
    t.notOk(isSound(sound.balance(), { ...all, ...part }), JSON.stringify(part));
    t.notMatch(summary(sound.balance(), { ...all, ...part }, 1), /^lost: 0$/m);
  }

  const twice = createLedger("mine");
  twice.stored("a", 1);
  twice.read(event("a", 1n));
  twice.read(event("a", 1n));
  t.match(twice.balance(), { surplus: 1, disorder: 1 });
  t.notOk(isSound(twice.balance(), all));
});
