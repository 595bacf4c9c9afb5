import t from "tap";
import { defineHandler, registerHandler } from "../../src/index.ts";
import { append, drainAll, value } from "../handlers/support.ts";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { cells, daybook, objects } from "./support.ts";

const database = await testDatabase(t);
t.setTimeout(180_000);
const run = (...args: string[]) => daybook(["handlers", ...args], { url: database.url });

const fails = new Set(["bad-1", "bad-2"]);
const handler = defineHandler({
  name: "room-view",
  subscribesTo: ["*"],
  retry: { attempts: 1 },
  handle(event) {
    if (fails.has(event.streamId)) throw new Error(`no ${event.streamId}\nreally`);
  },
});

t.test("none", async (t) => {
  t.same(await run(), {
    code: 0,
    stdout: "name\tstate\tshards\tposition\tbehind\tlag_seconds\tparked_streams\tdead_letters\tneeds_person\n",
    stderr: "",
  });
  t.equal((await run("--json")).stdout, "");
});

t.test("list", async (t) => {
  await registerHandler(database.db, handler);
  await append(database, "a-1", "bad-1", "bad-2", "bad-1");
  await drainAll(database.db, handler);
  await append(database, "a-1");
  const { code, stdout } = await run();
  t.equal(code, 0);
  const [[name, state, shards, position, behind, , parked, dead, needs] = []] = cells(stdout);
  t.same(
    [name, state, shards, position, behind, parked, dead, needs],
    ["room-view", "running", "1", "4", "1", "2", "2", "true"],
  );
  t.match(objects((await run("--json")).stdout), [
    {
      name: "room-view",
      implementation: "room-view",
      on_failure: "park",
      max_attempts: 1,
      moved_at: /Z$/,
      types: null,
    },
  ]);
});

t.test("pause and resume", async (t) => {
  t.equal((await run("pause", "room-view", "--reason", "a look")).stdout, "paused handler room-view\n");
  t.match(objects((await run("--json")).stdout), [{ state: "paused", state_reason: /a look/ }]);
  t.equal((await drainAll(database.db, handler)).handled, 0);
  t.same(objects((await run("resume", "room-view", "--json")).stdout), [
    { kind: "handler", name: "room-view", state: "running" },
  ]);
  t.equal((await drainAll(database.db, handler)).handled, 1);
  const nobody = await run("pause", "nobody");
  t.equal(nobody.code, 4);
  t.match(nobody.stderr, "YD501");
  t.equal((await run("pause")).code, 2);
});

t.test("parked streams and dead letters", async (t) => {
  t.same(
    cells((await run("parked")).stdout).map(([name, stream, position, attempts, retry, message]) => [
      name,
      stream,
      position,
      attempts,
      retry,
      message,
    ]),
    [
      ["room-view", "bad-1", "2", "1", "", "no bad-1\\nreally"],
      ["room-view", "bad-2", "3", "1", "", "no bad-2\\nreally"],
    ],
  );
  t.equal(cells((await run("parked", "other")).stdout).length, 0);
  t.match(objects((await run("dead-letters", "room-view", "--json")).stdout), [
    {
      dead_letter: 1,
      kind: "handler",
      stream_id: "bad-1",
      type: "Tested",
      attempts: 1,
      state: "waiting",
      error: { stack: /Error/ },
    },
    { dead_letter: 2, stream_id: "bad-2" },
  ]);
  t.equal((await run("retry")).code, 2);
  t.equal((await run("retry", "1", "--all")).code, 2);
  t.equal((await run("retry", "99")).code, 4);
  t.equal((await run("retry", "--name", "other")).code, 1);
  t.equal((await run("retry", "--stream", "bad-1", "--type", "Tested")).stdout, "retrying 1 dead letter\n");
  fails.delete("bad-1");
  await drainAll(database.db, handler);
  t.same(
    cells((await run("dead-letters", "--all")).stdout).map(([n, , stream, , , state]) => [n, stream, state]),
    [
      ["1", "bad-1", "done"],
      ["2", "bad-2", "waiting"],
    ],
  );
  t.equal((await run("discard", "2")).code, 2, "a reason is asked for");
  t.equal((await run("discard", "--reason", "x")).code, 2);
  t.same(objects((await run("discard", "2", "--reason", "nobody wants it", "--json")).stdout), [
    { count: 1, state: "discarded" },
  ]);
  t.equal(await value(database, "select count(*)::int from daybook.parked_streams"), 0);
  t.equal(cells((await run("dead-letters")).stdout).length, 0);
});

t.test("reset and replay", async (t) => {
  t.equal((await run("reset", "room-view", "--reason", "again")).stdout, "reset handler room-view to start\n");
  t.match(objects((await run("--json")).stdout), [{ position: 0 }]);
  t.equal((await run("replay", "room-view")).code, 2, "from where is asked for");
  t.equal((await run("replay", "room-view", "--from", "yesterday")).code, 2);
  t.equal((await run("replay", "room-view", "--from", "3")).stdout, "reset handler room-view to 3\n");
  t.match(objects((await run("--json")).stdout), [{ position: 3 }]);
  t.equal(
    (await run("replay", "room-view", "--from", "0", "--as", "room-view-2")).stdout,
    "replaying room-view as room-view-2 from 0\n",
  );
  t.match(objects((await run("--json")).stdout), [
    { name: "room-view", position: 3 },
    { name: "room-view-2", implementation: "room-view", position: 0 },
  ]);
  fails.clear();
  t.match(await drainAll(database.db, handler, { name: "room-view-2" }), { handled: 5 });
  t.equal((await run("replay", "room-view", "--from", "1h")).code, 0);
  t.match(objects((await run("--json")).stdout), [{ position: 0 }]);
  t.equal((await run("drop", "room-view-2")).stdout, "dropped handler room-view-2\n");
  t.equal((await run("drop", "room-view-2")).code, 4);
  t.equal(objects((await run("--json")).stdout).length, 1);
});

t.test("all of it is in the audit, and needs the right to", async (t) => {
  const actions: string[] = await value(
    database,
    "select array_agg(distinct action order by action) from daybook.audit",
  );
  for (const action of ["discard_dead_letter", "pause_handler", "replay_handler", "reset_handler", "resume_handler"]) {
    t.ok(actions.includes(action), action);
  }
  const reader = await roleLogin(database, { roles: ["daybook_reader"] });
  t.equal((await daybook(["handlers", "pause", "room-view"], { url: reader })).code, 4);
});
