import t from "tap";
import { append } from "../handlers/support.ts";
import { drainOut, refused, routed } from "../outbox/support.ts";
import { cells, daybook, objects } from "./support.ts";

const { database, transport, route } = await routed(t, { name: "announcements", retry: { attempts: 1 } });
t.setTimeout(180_000);
const run = (...args: string[]) => daybook(["outbox", ...args], { url: database.url });

t.test("the backlog by route", async (t) => {
  await append(database, "a-1", "bad-1", "bad-1", "a-1");
  t.match(objects((await run("--json")).stdout), [
    { name: "announcements", transport: "test", undelivered: 4, oldest_written_at: /Z$/, state: "running", mode: "on" },
  ]);
  transport.answer = (message) => (message.key === "bad-1" ? refused() : undefined);
  await drainOut(database, route, transport);
  const [[name, to, state, mode, undelivered, , attempts, parked, dead, needs] = []] = cells((await run()).stdout);
  t.same(
    [name, to, state, mode, undelivered, attempts, parked, dead, needs],
    ["announcements", "test", "running", "on", "2", "0", "1", "1", "true"],
  );
});

t.test("pause and resume", async (t) => {
  t.equal((await run("pause", "announcements")).stdout, "paused route announcements\n");
  t.match(objects((await run("--json")).stdout), [{ state: "paused" }]);
  t.equal((await run("resume", "announcements")).stdout, "resumed route announcements\n");
  t.equal((await run("pause", "nobody")).code, 4);
});

t.test("what failed", async (t) => {
  t.match(objects((await run("parked", "--json")).stdout), [
    { kind: "route", name: "announcements", stream_id: "bad-1", position: 2, message: "refused", needs_person: true },
  ]);
  t.match(objects((await run("dead-letters", "--json")).stdout), [
    { dead_letter: 1, stream_id: "bad-1", state: "waiting" },
  ]);
  t.equal((await run("retry", "--all")).stdout, "retrying 1 dead letter\n");
  await drainOut(database, route, transport);
  t.match(objects((await run("dead-letters", "--json")).stdout), [{ dead_letter: 1, state: "waiting", attempts: 2 }]);
  t.equal((await run("discard", "--name", "announcements", "--reason", "x")).stdout, "discarded 1 dead letter\n");
  transport.answer = () => undefined;
  await drainOut(database, route, transport);
  t.same(transport.taken, ["a-1@1", "a-1@2", "bad-1@2"]);
});

t.test("a parked stream is tried before its delay is over", async (t) => {
  for (const bad of [
    ["--parked"],
    ["--parked", "1"],
    ["--parked", "--all", "--name", "announcements", "--stream", "x"],
  ])
    t.equal((await run("retry", ...bad)).code, 2);
  const one = ["retry", "--parked", "--name", "announcements", "--stream", "late-1"];
  t.equal((await run(...one)).code, 4, "it is not parked");
  transport.answer = (message) => (message.key === "late-1" ? refused({ unavailable: true }) : undefined);
  await append(database, "late-1", "a-2");
  await drainOut(database, route, transport);
  t.match(objects((await run("parked", "--json")).stdout), [{ stream_id: "late-1", attempts: 0, needs_person: false }]);
  t.equal((await run(...one)).stdout, "retrying stream late-1\n");
  t.same(objects((await run(...one, "--json")).stdout), [
    { kind: "route", name: "announcements", stream_id: "late-1", state: "retrying" },
  ]);
  transport.answer = () => undefined;
  await drainOut(database, route, transport);
  t.same(transport.taken.splice(3), ["a-2@1", "late-1@1"]);
});

t.test("reset sends again", async (t) => {
  t.equal((await run("reset", "announcements")).code, 2);
  t.equal((await run("reset", "announcements", "--from", "0")).stdout, "reset route announcements to 0\n");
  await drainOut(database, route, transport);
  t.same(transport.taken.slice(3), ["a-1@1", "bad-1@1", "bad-1@2", "a-1@2", "late-1@1", "a-2@1"]);
});
