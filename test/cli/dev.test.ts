import { once } from "node:events";
import t from "tap";
import { usedDirectory } from "../dev/support.ts";
import { collect, daybook, objects, start, until } from "./support.ts";

const cwd = usedDirectory();

t.test("without a database, and none to be started", async (t) => {
  const { code, stderr } = await daybook(["read"], { cwd });
  t.equal(code, 3);
  t.match(stderr, /^error: no database is named, and there is no embedded server in \.daybook\nhint: .*daybook dev/);
});

t.test("dev runs the embedded server until Ctrl-C; commands nearby find it", async (t) => {
  t.setTimeout(120_000);
  const child = start(["dev"], { cwd, url: "postgres://127.0.0.1:1/other" });
  t.teardown(() => child.kill("SIGKILL"));
  const output = collect(child);
  const closed = once(child, "close");
  await until(
    () => output.stdout.includes("\n"),
    () => output.stderr,
    60_000,
  );
  const url = output.stdout.trim();
  t.match(url, /^postgres:\/\/postgres:[^@]+@127\.0\.0\.1:\d+\/daybook$/);
  t.match(output.stderr, /installed: version/);

  t.equal((await daybook(["append", "here-1", "T"], { cwd })).code, 0);
  const read = await daybook(["read", "here-1", "--json"], { cwd });
  t.match(objects(read.stdout), [{ stream_id: "here-1" }]);
  t.match(read.stderr, /^using the embedded PostgreSQL of \.daybook: postgres:\/\/postgres@127/);
  t.notMatch(read.stderr, new URL(url).password);
  t.equal((await daybook(["read", "here-1"], { url, cwd: "/" })).code, 0, "its URL does from anywhere");

  child.kill("SIGINT");
  t.same(await closed, [0, null]);
  t.equal((await daybook(["read", "here-1"], { url, cwd: "/" })).code, 3, "it has stopped");
  const again = await daybook(["read", "here-1"], { cwd });
  t.equal(again.code, 0, "a command starts it for itself, and the data is there");
  t.equal((await daybook(["read", "here-1"], { url, cwd: "/" })).code, 3, "and stops it");
});

t.test("dev says so when its server is ended by another hand", async (t) => {
  t.setTimeout(120_000);
  const child = start(["dev", "--json"], { cwd });
  t.teardown(() => child.kill("SIGKILL"));
  const output = collect(child);
  const closed = once(child, "close");
  await until(
    () => output.stdout.includes("\n"),
    () => output.stderr,
    60_000,
  );
  const [said] = objects(output.stdout);
  const { withClient } = await import("../support/admin.ts");
  const pid = await withClient(String(said?.url), async (client) => {
    const { rows } = await client.query<{ pid: string }>(
      "select split_part(pg_read_file('postmaster.pid'), E'\\n', 1) as pid",
    );
    return Number(rows[0]?.pid);
  });
  process.kill(pid, "SIGINT");
  t.same(await closed, [3, null]);
  t.match(output.stderr, /error: the server has ended\nhint: Its log may say why: /);
});
