import { readdirSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { ask, gone, otherProcess, start, temporaryDirectory, usedDirectory } from "./support.ts";

t.test("one server for all of a process: the last one out stops it", async (t) => {
  const dataDir = usedDirectory();
  const [first, second] = await Promise.all([start(t, { dataDir }), start(t, { dataDir })]);
  t.equal(second.pid, first.pid);
  t.not(second.shared, first.shared);
  t.equal(await first.stop(), false);
  t.equal(await ask(second.url, "select 1"), 1);
  t.equal(await second.stop(), true);
  t.strictSame(readdirSync(join(dataDir, "processes")), []);
});

t.test("processes that start at once on a new directory get one server", async (t) => {
  const dataDir = temporaryDirectory(t);
  const others = await Promise.all(["wait", "wait", "wait"].map(() => otherProcess(dataDir, "wait")));
  const mine = await start(t, { dataDir });
  t.strictSame(new Set(others.map(({ said }) => said.pid)), new Set([mine.pid]));
  t.equal(others.filter(({ said }) => !said.shared).length, 1, "one of them started it");
  for (const { child, ended } of others) {
    child.kill("SIGKILL");
    await ended;
  }
  t.equal(await ask(mine.url, "select 1"), 1, "those killed do not take it along");
  t.equal(await mine.stop(), true, "and do not count as its users any more");
});

t.test("a server whose starter was killed is taken over", async (t) => {
  const dataDir = usedDirectory();
  const { child, said, ended } = await otherProcess(dataDir, "wait");
  child.kill("SIGKILL");
  await ended;
  const mine = await start(t, { dataDir });
  t.match(mine, { shared: true, pid: said.pid, url: said.url });
  t.equal(await mine.stop(), true);
  t.ok(await gone(said.pid));
});

t.test("a process that just exits takes its server along, unless somebody else uses it", async (t) => {
  const dataDir = usedDirectory();
  const alone = await otherProcess(dataDir, "exit");
  await alone.ended;
  t.ok(await gone(alone.said.pid));
  const mine = await start(t, { dataDir });
  t.equal(mine.shared, false);
  await (await otherProcess(dataDir, "exit")).ended;
  t.equal(await ask(mine.url, "select 1"), 1);
});

t.test("many come and go: nobody is left with a server that stops under them", async (t) => {
  const dataDir = usedDirectory();
  const one = async () => {
    for (let turn = 0; turn < 4; turn += 1) {
      const server = await start(t, { dataDir });
      t.equal(await ask(server.url, "select 1"), 1);
      await server.stop();
    }
  };
  await Promise.all([one(), one(), one()]);
});
