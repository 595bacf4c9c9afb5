import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import t from "tap";
import { findServerBinaries } from "../../src/dev/binaries.ts";
import { serverUser } from "../../src/dev/os-user.ts";
import { reachableBinaries } from "../../src/dev/reachable-binaries.ts";
import { ask, otherProcess, start, temporaryDirectory } from "./support.ts";

const root = process.getuid?.() === 0;
const notRoot = root ? false : "only root can be several users: sudo env PATH=$PATH npm test -- test/dev";
const nobody = { uid: 65_534, gid: 65_534 };
const seenByAll = root && spawnSync(process.execPath, ["--version"], { ...nobody, stdio: "ignore" }).status === 0;
const closedCheckout = seenByAll ? false : "other users cannot enter this checkout: move it, or chmod a+x its parents";

t.test("root's server runs as another user", { skip: notRoot }, async (t) => {
  const user = await serverUser(null);
  t.ok(user && user.uid > 0);
  const { pid } = await start(t, { dataDir: temporaryDirectory(t) });
  t.match(readFileSync(`/proc/${pid}/status`, "utf8"), new RegExp(`^Uid:\\t${user?.uid}\\t`, "m"));
  t.match(readFileSync(`/proc/${pid}/status`, "utf8"), /^CapEff:\t0+$/m, "with none of root's powers");
});

for (const version of [18, 15] as const) {
  const name = `PostgreSQL ${version} below a directory that its user cannot enter: the data stays there`;
  t.test(name, { skip: notRoot }, async (t) => {
    const dataDir = join(temporaryDirectory(t, 0o700), "closed", ".daybook");
    const first = await start(t, { dataDir, version, durable: true });
    await ask(first.url, "create table kept as select 42 as answer");
    t.ok(existsSync(join(dataDir, "postgres", "data", "PG_VERSION")));
    const shared = await start(t, { dataDir, version });
    t.match(shared, { shared: true, pid: first.pid });
    await shared.stop();
    await first.kill();
    const second = await start(t, { dataDir, version });
    t.equal(await ask(second.url, "select answer from kept"), 42);
    t.equal(await second.stop(), true);
  });
}

t.test("programs below a directory that the server's user cannot enter are copied", { skip: notRoot }, async (t) => {
  const user = await serverUser(null);
  const found = await findServerBinaries(18);
  if (!user || !found.root) throw new Error("no other user, or no programs from npm");
  const closed = join(temporaryDirectory(t, 0o700), "native");
  // Hard links where the file system allows: it is 60 MB.
  if (spawnSync("cp", ["-al", found.root, closed]).status !== 0) spawnSync("cp", ["-a", found.root, closed]);
  const binaries = {
    ...found,
    root: closed,
    postgres: join(closed, "bin/postgres"),
    initdb: join(closed, "bin/initdb"),
  };
  const places = [join(temporaryDirectory(t, 0o777), "not root's"), join(temporaryDirectory(t), "copies")];
  mkdirSync(places[0] ?? "");
  chmodSync(places[0] ?? "", 0o777);
  const copied = await reachableBinaries(binaries, user, places);
  t.equal(dirname(copied.root ?? ""), places[1], "not where anybody could have put programs");
  for (const program of [copied.postgres, copied.initdb]) {
    t.match(spawnSync(program, ["--version"], { ...user, cwd: "/", encoding: "utf8" }).stdout, /\(PostgreSQL\) 18\./);
  }
  t.equal(await reachableBinaries(binaries, user, places), copied, "once");
  t.equal(await reachableBinaries(found, null), found, "the caller's own user needs no copy");
});

t.test("an ordinary user's server runs as that user", { skip: notRoot || closedCheckout }, async (t) => {
  const directory = temporaryDirectory(t);
  chownSync(directory, nobody.uid, nobody.gid);
  const { child, said, ended } = await otherProcess(join(directory, ".daybook"), "wait", nobody);
  t.equal(said.shared, false);
  t.match(readFileSync(`/proc/${said.pid}/status`, "utf8"), /^Uid:\t65534\t/m);
  const roots = await start(t, { dataDir: join(directory, ".daybook") });
  t.match(roots, { shared: true, pid: said.pid }, "root shares it");
  child.kill("SIGKILL");
  await ended;
  t.equal(await roots.stop(), true);
  const again = await start(t, { dataDir: join(directory, ".daybook") });
  t.equal(statSync(`/proc/${again.pid}`).uid, nobody.uid, "and starts it as the owner of the data");
});

t.test("another user's data is said to be so, and left alone", { skip: notRoot || closedCheckout }, async (t) => {
  const dataDir = temporaryDirectory(t, 0o777);
  const mine = await start(t, { dataDir });
  await mine.stop();
  chmodSync(join(dataDir, "processes"), 0o777);
  const { said, ended } = await otherProcess(dataDir, "stop", nobody);
  t.match(said, { error: /belongs to another OS user/, hint: /DAYBOOK_DATA_DIR/ });
  t.equal(await ended, 1);
  t.ok(existsSync(join(dataDir, "postgres", "password")));
});
