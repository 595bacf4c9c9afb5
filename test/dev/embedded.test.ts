import { spawn, spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import pg from "pg";
import t from "tap";
import { startEmbedded } from "../../src/dev/embedded.ts";
import { EmbeddedServerError } from "../../src/dev/embedded-server-error.ts";
import { ask, start, temporaryDirectory, usedDirectory } from "./support.ts";

t.test("a server of one's own: data and password survive restarts", async (t) => {
  const dataDir = join(temporaryDirectory(t), "not", "there", "yet");
  const first = await start(t, { dataDir });
  t.equal(first.shared, false);
  t.strictSame(first.notices, []);
  await ask(first.url, "create table kept as select 42 as answer");
  t.equal(await first.stop(), true, "the last one out stops it");
  t.equal(await first.stop(), true, "stopping twice is stopping once");
  await t.rejects(ask(first.url, "select 1"), { code: "ECONNREFUSED" });

  const second = await start(t, { dataDir });
  t.equal(second.url, first.url, "the same port and password");
  t.not(second.pid, first.pid);
  t.equal(await ask(second.url, "select answer from kept"), 42);
});

t.test("nobody else gets in: 127.0.0.1 alone, scram, a password of mode 600, no socket", async (t) => {
  const dataDir = usedDirectory();
  const { url, port } = await start(t, { dataDir });
  t.equal(await ask(url, "show listen_addresses"), "127.0.0.1");
  t.equal(await ask(url, "show unix_socket_directories"), "");
  t.equal(
    await ask(url, "select string_agg(distinct auth_method, ' ') from pg_hba_file_rules"),
    "scram-sha-256",
    "for every kind of connection",
  );
  await t.rejects(ask(`postgres://postgres:guess@127.0.0.1:${port}/daybook`, "select 1"), { code: "28P01" });
  t.equal(statSync(join(dataDir, "postgres", "password")).mode & 0o777, 0o600);
  t.equal(statSync(join(dataDir, "postgres")).mode & 0o777, 0o700);
});

t.test("durable unless told otherwise; UTF-8; checksums; settings of one's own", async (t) => {
  const dataDir = temporaryDirectory(t);
  const { url } = await start(t, { dataDir, durable: true, settings: { work_mem: "8MB", jit: true }, database: 'b"1' });
  for (const name of ["fsync", "synchronous_commit", "full_page_writes", "data_checksums", "jit"]) {
    t.equal(await ask(url, `show ${name}`), "on", name);
  }
  t.equal(await ask(url, "show work_mem"), "8MB");
  t.equal(await ask(url, "select current_database()"), 'b"1');
  t.equal(await ask(url, "show server_encoding"), "UTF8");
  t.equal(await ask(url, "select upper('é')"), "É", "letters beyond ASCII are letters");
  t.equal(await ask(url, "select string_agg(x, '' order by x) from unnest('{b,B,a,é}'::text[]) x"), "Babé", "by code");
});

t.test("PostgreSQL 15 runs as well, and its data is not given to 18", async (t) => {
  const dataDir = temporaryDirectory(t);
  const server = await start(t, { dataDir, version: 15 });
  t.match(await ask(server.url, "select version()"), /^PostgreSQL 15\./);
  t.equal(await ask(server.url, "select upper('é')"), "É");
  await server.stop();
  const error = await startEmbedded({ dataDir, version: 18 }).catch((reason: unknown) => reason);
  t.type(error, EmbeddedServerError);
  t.match(error, { message: /PostgreSQL 15, and PostgreSQL 18 cannot read it/, hint: /DAYBOOK_PG_VERSION=15.* mv / });
});

t.test("a version that is not there is said, with what brings it", async (t) => {
  const missing = ([16, 17] as const).find((version) => !existsSync(`/usr/lib/postgresql/${version}/bin/postgres`));
  if (!missing) {
    t.pass("all are there");
    return;
  }
  const error = startEmbedded({ dataDir: temporaryDirectory(t), version: missing });
  await t.rejects(error, { name: "EmbeddedServerError", message: / is not installed here/, hint: /brings it/ });
});

t.test("a port in use: another one is taken, and that is said", async (t) => {
  const busy = createServer().listen(0, "127.0.0.1");
  t.teardown(() => busy.close());
  await new Promise((done) => busy.once("listening", done));
  const address = busy.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const server = await start(t, { dataDir: usedDirectory(), port });
  t.not(server.port, port);
  t.match(server.notices, [`Port ${port} is in use: the server listens on ${server.port} instead.`]);
  t.equal(await ask(server.url, "select 1"), 1);
});

t.test("lock files of a crashed server: its pid is nobody's, or another program's by now", async (t) => {
  const dataDir = usedDirectory();
  const pidFile = join(dataDir, "postgres", "data", "postmaster.pid");
  const first = await start(t, { dataDir });
  const lines = readFileSync(pidFile, "utf8").split("\n");
  await first.stop();
  // A program of the server's own OS user: PostgreSQL itself takes its pid for that of a live server.
  const { uid, gid } = statSync(join(dataDir, "postgres"));
  const other = spawn("sleep", ["60"], { stdio: "ignore", ...(process.getuid?.() === 0 ? { uid, gid } : {}) });
  t.teardown(() => other.kill());
  for (const pid of [spawnSync("true").pid, other.pid, 1]) {
    writeFileSync(pidFile, [pid, ...lines.slice(1)].join("\n"));
    if (process.getuid?.() === 0) chownSync(pidFile, uid, gid);
    const server = await start(t, { dataDir });
    t.equal(server.shared, false, `pid ${pid}`);
    t.equal(await ask(server.url, "select 1"), 1);
    await server.stop();
  }
});

t.test("kill -9 of the server: it recovers at the next start, and what was committed is there", async (t) => {
  const dataDir = usedDirectory();
  const first = await start(t, { dataDir, durable: true });
  await ask(first.url, "create table kept (n int)");
  const client = new pg.Client(first.url);
  client.on("error", () => undefined);
  await client.connect();
  await client.query("insert into kept values (1)");
  await client.query("begin");
  await client.query("insert into kept values (2)");
  // A child that never looks up from its work does not notice that its server is gone: it is cleared away.
  const busy = new pg.Client(first.url);
  busy.on("error", () => undefined);
  await busy.connect();
  const work = busy.query("do $$ begin loop perform 1; end loop; end $$").catch(() => undefined);
  process.kill(first.pid, "SIGKILL");
  const second = await start(t, { dataDir, durable: true });
  await work;
  t.equal(second.shared, false);
  t.equal(await ask(second.url, "select string_agg(n::text, ' ') from kept"), "1");
  t.equal(await first.stop(), false, "whoever saw it die has nothing to stop");
  await second.kill();
  const third = await start(t, { dataDir, durable: true });
  t.equal(await ask(third.url, "select string_agg(n::text, ' ') from kept"), "1");
  t.equal(await third.stop(), true);
});

t.test("initdb interrupted: what it left is cleared away, what cannot be read is put aside", async (t) => {
  const dataDir = temporaryDirectory(t);
  const draft = join(dataDir, `postgres.new-${spawnSync("true").pid}-1-abc`);
  mkdirSync(join(draft, "data"), { recursive: true });
  mkdirSync(join(dataDir, "postgres", "data", "global"), { recursive: true });
  writeFileSync(join(dataDir, "postgres", "data", "PG_VERSION"), "18\n");
  const server = await start(t, { dataDir });
  t.equal(await ask(server.url, "select 1"), 1);
  t.notOk(existsSync(draft));
  t.match(server.notices, [/incomplete data directory was found and moved to/]);
  t.equal(readdirSync(dataDir).filter((name) => name.startsWith("postgres.incomplete-")).length, 1);
});

t.test("a server that does not start says why", async (t) => {
  const dataDir = usedDirectory();
  const error = startEmbedded({ dataDir, durable: false, settings: { shared_buffers: "much" } });
  await t.rejects(error, {
    name: "EmbeddedServerError",
    message: /does not start: .*invalid value for parameter "shared_buffers"/,
    hint: /server\.log/,
  });
  t.equal(await ask((await start(t, { dataDir })).url, "select 1"), 1, "and does once it is right");
});

t.test("a file in the way is said, not thrown with a stack", async (t) => {
  const dataDir = join(temporaryDirectory(t), "file");
  writeFileSync(dataDir, "");
  await t.rejects(startEmbedded({ dataDir }), { name: "EmbeddedServerError", hint: /move it away/ });
});

t.test(
  "an empty data directory is no reason for words, one removed under the server none for it to stay",
  async (t) => {
    const dataDir = temporaryDirectory(t);
    mkdirSync(join(dataDir, "postgres"));
    const server = await start(t, { dataDir });
    t.strictSame(server.notices, []);
    rmSync(dataDir, { recursive: true });
    t.equal(await server.stop(), true);
  },
);
