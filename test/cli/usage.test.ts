import t from "tap";
import { testDatabase } from "../support/database.ts";
import { daybook, until, waitingForLock } from "./support.ts";

const commands = [
  ["migrate"],
  ["status"],
  ["append"],
  ["read"],
  ["tail"],
  ["trace"],
  ["streams"],
  ["partitions"],
  ["partitions", "ensure"],
  ["partitions", "seal"],
  ["handlers"],
  ["handlers", "pause"],
  ["handlers", "resume"],
  ["handlers", "reset"],
  ["handlers", "replay"],
  ["handlers", "drop"],
  ["handlers", "parked"],
  ["handlers", "dead-letters"],
  ["handlers", "retry"],
  ["handlers", "discard"],
  ["projections"],
  ["projections", "show"],
  ["projections", "rebuild"],
  ["projections", "pause"],
  ["projections", "resume"],
  ["projections", "reset"],
  ["projections", "drop"],
  ["projections", "drop-rebuild"],
  ["projections", "wait"],
  ["projections", "parked"],
  ["projections", "dead-letters"],
  ["projections", "retry"],
  ["projections", "discard"],
  ["outbox"],
  ["outbox", "pause"],
  ["outbox", "resume"],
  ["outbox", "reset"],
  ["outbox", "parked"],
  ["outbox", "dead-letters"],
  ["outbox", "retry"],
  ["outbox", "discard"],
  ["worker"],
  ["dev"],
  ["uninstall"],
];

t.test("help everywhere, with examples", async (t) => {
  const all = await daybook(["--help"]);
  t.equal(all.code, 0);
  t.match(all.stdout, /Exit codes:\n {2}0 /);
  for (const command of commands) {
    t.match(all.stdout, new RegExp(`^ {2}${command[0]}\\b`, "m"));
    const { code, stdout, stderr } = await daybook([...command, "--help"]);
    t.equal(code, 0, command.join(" "));
    t.match(stdout, new RegExp(`^Usage: daybook ${command.join(" ")}`));
    t.match(stdout, /^Examples?:\n {2}\$ (DAYBOOK_\S+ )?daybook /m);
    t.match(stdout, "--url");
    t.equal(stderr, "");
  }
  const listed = [...all.stdout.matchAll(/^ {2}([a-z]+)(?: .*)? {2,}[A-Z]/gm)].map(([, name]) => name);
  t.same(listed.sort(), [...new Set(commands.map(([name]) => name))].sort(), "and these are all");
});

t.test("the version", async (t) => {
  const { code, stdout } = await daybook(["--version"]);
  t.equal(code, 0);
  t.match(stdout, /^\d+\.\d+\.\d+/);
});

t.test("a command line that cannot be understood: 2, a line, no stack", async (t) => {
  for (const args of [
    [],
    ["raed"],
    ["read", "--nope"],
    ["read", "a-1", "b-1"],
    ["read", "--from", "-1"],
    ["read", "--from", "9223372036854775808"],
    ["read", "--count", "0"],
    ["read", "--since", "yesterday"],
    ["read", "--since", "2026-13-45"],
    ["read", "--types", "a,,b"],
    ["read", "a-1", "--categories", "a"],
    ["read", "--url", "mysql://x"],
    ["trace", "7"],
    ["trace"],
    ["append"],
    ["append", "a-1"],
    ["append", "a-1", "T", "{nope"],
    ["append", "a-1", "T", "--metadata", "nope"],
    ["append", "a-1", "T", "--expected", "-1"],
    ["append", "a-1", "T", "--expected", "some"],
    ["append", "a-1", "T", "--event-id", "7"],
    ["append", "a-1", "T", "--schema-version", "0"],
    ["append", "a-1", "T", "--occurred-at", "then"],
    ["append", "a-1", "T", "--stdin"],
    ["append", "a-1", "--stdin", "--tag", "x"],
    ["append", "--stdin", "--expected", "1"],
    ["partitions", "ensure", "--months", "x"],
    ["partitions", "nope"],
  ]) {
    const { code, stdout, stderr } = await daybook(args, { url: "postgres://127.0.0.1:1/none" });
    t.equal(code, 2, args.join(" "));
    t.equal(stdout, "");
    t.notMatch(stderr, /^\s+at /m);
    if (args.length > 0) t.match(stderr, /^error: /);
  }
});

t.test("an environment that cannot be understood", async (t) => {
  const { code, stderr } = await daybook(["read"], { url: "nonsense" });
  t.equal(code, 2);
  t.match(stderr, /^error: DATABASE_URL: must begin with/);
});

t.test("no connection: 3, and why", async (t) => {
  const { url } = await testDatabase(t);
  const wrong = (change: (url: URL) => void) => {
    const other = new URL(url);
    change(other);
    return other.href;
  };
  for (const [name, other, expected] of [
    ["nobody listens", "postgres://u:secret@127.0.0.1:1/x", /ECONNREFUSED/],
    ["no such host", "postgres://u:secret@nowhere.invalid/x", /nowhere\.invalid/],
    [
      "no such database",
      wrong((u) => {
        u.pathname = "/none";
      }),
      /database "none" does not exist.*\nhint: Make the database/,
    ],
    [
      "no such user",
      wrong((u) => {
        u.username = "nobody";
      }),
      /nobody.*\nhint: Check user and password/,
    ],
  ] as const) {
    const { code, stderr } = await daybook(["status"], { url: other });
    t.equal(code, 3, name);
    t.match(stderr, /^error: could not connect to postgres.*\nhint: /);
    t.match(stderr, expected);
    t.notMatch(stderr, "secret");
  }
  t.equal((await daybook(["streams", "--url", url], { url: "postgres://127.0.0.1:1/x" })).code, 0, "--url goes first");
});

t.test("a connection that is lost on the way: 3", async (t) => {
  const { url, pool } = await testDatabase(t);
  const client = await pool.connect();
  await client.query("begin");
  await client.query("select daybook.append_event('held-1', 'T')");
  const waiting = daybook(["append", "held-1", "T"], { url });
  const end = `select pg_terminate_backend(w.pid) from (${waitingForLock}) w`;
  await until(
    async () => (await pool.query(end)).rowCount === 1,
    () => "daybook waits for the stream",
  );
  t.match(await waiting, { code: 3, stderr: /^error: the connection was lost: / });
  await client.query("rollback");
  client.release();
});
