import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync } from "node:fs";
import t from "tap";
import { testDatabase } from "../support/database.ts";
import { cells, collect, daybook, environment, main, objects } from "./support.ts";

const { url, pool } = await testDatabase(t);
const run = (...args: string[]) => daybook(args, { url });
const versions = (stdout: string) => cells(stdout).map((row) => Number(row[3]));
const positions = (stdout: string) => objects(stdout).map(({ position }) => position);

await pool.query(
  "select daybook.append('long-1', jsonb_agg(jsonb_build_object('type', 'T' || n % 3, 'data', jsonb_build_object('n', n)))) from generate_series(1, 2500) n",
);
await pool.query("select daybook.append_event('other-1', 'T1', tenant_id => 'acme')");
await pool.query("select daybook.append_event('other-2', E'Odd\\ttype\\x1b[31m\\nof two lines')");
await pool.query("select daybook.append_event('other-3', 'T0', '{\"n\": 9007199254740993.10}')");
const count = 2503;

t.test("a stream, over several pages", async (t) => {
  const { code, stdout, stderr } = await run("read", "long-1");
  t.equal(code, 0);
  t.equal(stderr, "");
  t.equal(stdout.split("\n")[0], "position\trecorded_at\tstream_id\tversion\ttype\tdata");
  t.same(
    versions(stdout),
    Array.from({ length: 2500 }, (_, i) => i + 1),
  );
});

t.test("from a version, so many, backwards", async (t) => {
  t.same(versions((await run("read", "long-1", "--from", "2498")).stdout), [2498, 2499, 2500]);
  t.same(versions((await run("read", "long-1", "--from", "2", "-n", "3")).stdout), [2, 3, 4]);
  t.same(versions((await run("read", "long-1", "--backwards", "--count", "2")).stdout), [2500, 2499]);
  t.same(versions((await run("read", "long-1", "--backwards", "--from", "3")).stdout), [3, 2, 1]);
  t.equal(versions((await run("read", "long-1", "--backwards")).stdout).length, 2500);
  const past = await run("read", "long-1", "--from", "2501");
  t.equal(past.code, 0, "the stream is there");
  t.same(versions(past.stdout), []);
});

t.test("a stream, only some of its events", async (t) => {
  t.same(versions((await run("read", "long-1", "--types", "T1", "-n", "3")).stdout), [1, 4, 7]);
  t.same(
    versions((await run("read", "long-1", "--types", "T1,T2", "--backwards", "-n", "3")).stdout),
    [2500, 2498, 2497],
  );
  t.same(versions((await run("read", "long-1", "--since", "2030-01-01")).stdout), []);
  t.equal(versions((await run("read", "long-1", "--since", "1h")).stdout).length, 2500);
  t.equal(versions((await run("read", "long-1", "--since", "1h", "--backwards")).stdout).length, 2500);
});

t.test("the log", async (t) => {
  const all = positions((await run("read", "--json", "--tenant", "*")).stdout);
  t.same(
    all,
    Array.from({ length: count }, (_, i) => i + 1),
  );
  t.equal(positions((await run("read", "--json")).stdout).length, count - 1, "of one tenant");
  t.match((await run("read", "--tenant", "*", "--from", "2501", "-n", "1")).stdout, /\ttenant_id\t.*\n.*\tacme\t/);
  t.same(positions((await run("read", "--json", "--from", "2502")).stdout), [2502, 2503]);
  t.same(positions((await run("read", "--json", "--from", "0", "-n", "1")).stdout), [1]);
  t.same(positions((await run("read", "--json", "--types", "T0", "--from", "2498")).stdout), [2499, 2503]);
  t.same(positions((await run("read", "--json", "--categories", "other")).stdout), [2502, 2503]);
  t.same(positions((await run("read", "--json", "--since", "2030-01-01")).stdout), []);
  t.equal(positions((await run("read", "--json", "--since", "15m", "--types", "T0")).stdout).length, 834);
});

t.test("the log, backwards", async (t) => {
  t.same(positions((await run("read", "--json", "--backwards", "-n", "3")).stdout), [2503, 2502, 2500]);
  t.same(
    positions((await run("read", "--json", "--backwards", "-n", "3", "--tenant", "*")).stdout),
    [2503, 2502, 2501],
  );
  t.same(positions((await run("read", "--json", "--backwards", "--from", "2")).stdout), [2, 1]);
  t.equal(
    positions((await run("read", "--json", "--backwards", "--categories", "long", "--since", "1h")).stdout).length,
    2500,
  );
  t.same(positions((await run("read", "--json", "--backwards", "--since", "2030-01-01")).stdout), []);
});

t.test("a text is one line, and does nothing to a terminal; numbers keep their digits", async (t) => {
  const [row] = cells((await run("read", "other-2")).stdout);
  t.equal(row?.[4], "Odd\\ttype\\u001b[31m\\nof two lines");
  const [number] = cells((await run("read", "other-3")).stdout);
  t.equal(number?.[5], '{"n":9007199254740993.10}');
});

t.test("times are in UTC, whatever the server thinks", async (t) => {
  await pool.query("select set_config('search_path', '', false)");
  await pool.query(
    `do $$ begin execute format('alter database %I set timezone = ''Asia/Kolkata''', current_database()); end $$`,
  );
  const [event] = objects((await run("read", "other-3", "--json")).stdout);
  t.match(event?.recorded_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  t.ok(Math.abs(Date.parse(String(event?.recorded_at)) - Date.now()) < 600_000);
});

t.test("a stream that is not there", async (t) => {
  const { code, stdout, stderr } = await run("read", "nobody-1");
  t.equal(code, 1);
  t.equal(stdout, "");
  t.match(stderr, /^error: there is no stream nobody-1\nhint: /);
});

t.test("a reader that goes away ends it, and all is well", async (t) => {
  const child = spawn(process.execPath, [main, "read", "--json"], {
    env: environment({ url }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stderr = "";
  child.stderr.on("data", (text) => {
    stderr += text;
  });
  await once(child.stdout, "data");
  child.stdout.destroy();
  const [code] = await once(child, "close");
  t.equal(code, 0);
  t.equal(stderr, "");
});

const noFull = existsSync("/dev/full") ? false : "there is no /dev/full on this system";
t.test("an output that cannot be written", { skip: noFull }, async (t) => {
  const full = openSync("/dev/full", "w");
  const child = spawn(process.execPath, [main, "read"], { env: environment({ url }), stdio: ["ignore", full, "pipe"] });
  const output = collect(child);
  t.same(await once(child, "close"), [70, null]);
  t.match(output.stderr, /^error: the output could not be written: .*ENOSPC/);
});
