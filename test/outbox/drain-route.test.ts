import t from "tap";
import {
  defineRoute,
  discardDeadLetters,
  drainRoute,
  publish,
  registerRoute,
  resumeRoute,
  retryDeadLetters,
  type Transport,
} from "../../src/index.ts";
import { append, value } from "../handlers/support.ts";
import { drainOut, nameOf, refused, routed } from "./support.ts";

t.test("messages go out in order, in their public shape", async (t) => {
  const { database, transport, route } = await routed(t, {
    publicName: "account.touched",
    publicVersion: 2,
    topic: "{category}.{type}",
  });
  await append(database, "a-1", "a-1", "b-1/acme");
  t.same(await drainOut(database, route, transport), { handled: 3, more: false, outcome: "dry" });
  t.same(transport.taken, ["a-1@1", "a-1@2", "b-1@1"]);
  t.match(transport.messages[2], {
    position: 3n,
    tenantId: "acme",
    route: "out",
    messageId: await value<string>(database, "select event_id from daybook.event_log where position = 3"),
    key: "b-1",
    version: 1n,
    topic: "b.Tested",
    type: "account.touched",
    typeVersion: 2,
    data: {},
    attempt: 1,
    occurredAt: Date,
  });
  t.match(await drainOut(database, route, transport), { handled: 0, outcome: "dry" });
  t.equal(await value(database, "select undelivered::int from daybook.routes"), 0);
});

t.test("park: what is refused waits with its stream, others flow", async (t) => {
  const { database, transport, route } = await routed(t);
  transport.answer = (message) => (message.key === "bad-1" && message.version === 2n ? refused() : undefined);
  await append(database, "a-1", "bad-1", "bad-1", "a-1", "bad-1", "b-1");
  await drainOut(database, route, transport);
  t.same(transport.taken, ["a-1@1", "bad-1@1", "a-1@2", "b-1@1"]);
  const deadline = Date.now() + 5000;
  while (
    (await value<number>(database, "select count(*)::int from daybook.dead_letters")) === 0 &&
    Date.now() < deadline
  ) {
    await drainOut(database, route, transport);
  }
  t.match(await value(database, "select to_jsonb(d) from daybook.dead_letters d"), {
    kind: "route",
    name: "out",
    stream_id: "bad-1",
    position: 3,
    attempts: 3,
    state: "waiting",
    error: { name: "Error", message: "refused" },
  });
  t.equal(await value(database, "select needs_person from daybook.routes"), true);
  await append(database, "bad-1", "a-1");
  await drainOut(database, route, transport);
  transport.answer = () => undefined;
  t.equal(await retryDeadLetters(database.db, { kind: "route", name: "out" }), 1);
  await drainOut(database, route, transport);
  t.same(transport.taken.slice(4), ["a-1@3", "bad-1@2", "bad-1@3", "bad-1@4"]);
  t.equal(await value(database, "select count(*)::int from daybook.parked_streams"), 0);
});

t.test("park: discarded, the stream goes on behind it", async (t) => {
  const { database, transport, route } = await routed(t, { retry: { attempts: 1 } });
  transport.answer = (message) => (nameOf(message) === "bad-1@1" ? refused() : undefined);
  await append(database, "bad-1", "bad-1", "a-1");
  await drainOut(database, route, transport);
  t.equal(await discardDeadLetters(database.db, { kind: "route", name: "out", reason: "nobody wants it" }), 1);
  await drainOut(database, route, transport);
  t.same(transport.taken, ["a-1@1", "bad-1@2"]);
});

t.test("halt and skip", async (t) => {
  for (const onFailure of ["halt", "skip"] as const) {
    const { database, transport, route } = await routed(t, { onFailure });
    let isRefused = true;
    const tries: number[] = [];
    transport.answer = (message) => {
      if (nameOf(message) !== "bad-1@1") return undefined;
      tries.push(message.attempt);
      return isRefused ? refused() : undefined;
    };
    await append(database, "a-1", "bad-1", "a-1", "bad-1");
    const deadline = Date.now() + 5000;
    while ((await drainOut(database, route, transport)).outcome === "waiting" && Date.now() < deadline);
    for (let tries = 0; tries < 50; tries += 1) {
      await new Promise((done) => setTimeout(done, 5));
      await drainOut(database, route, transport);
    }
    t.same(tries, [1, 2, 3]);
    const first = [...new Set(transport.taken)];
    if (onFailure === "skip") {
      t.same(first, ["a-1@1", "a-1@2", "bad-1@2"]);
      t.equal(await value(database, "select state from daybook.dead_letters"), "skipped");
      continue;
    }
    t.equal(await value(database, "select state from daybook.routes"), "halted");
    isRefused = false;
    await resumeRoute(database.db, { name: "out" });
    await drainOut(database, route, transport);
    const positions = transport.taken.filter((name) => name.startsWith("bad"));
    t.same(positions, ["bad-1@1", "bad-1@2"]);
  }
});

t.test("left alone for as long as the other side asked", async (t) => {
  const { database, transport, route } = await routed(t);
  transport.answer = (message) =>
    message.key === "away-1"
      ? refused({ unavailable: true, retryAfter: 60_000 })
      : message.key === "busy-1"
        ? refused({ retryAfter: 60_000 })
        : undefined;
  await append(database, "busy-1", "a-1", "away-1");
  t.match(await drainOut(database, route, transport), { outcome: "waiting" });
  t.same(transport.taken, ["a-1@1"]);
  const seconds = "extract(epoch from retry_at - clock_timestamp())::float";
  t.ok((await value<number>(database, `select ${seconds} from daybook.parked_streams`)) > 55);
  t.ok((await value<number>(database, `select ${seconds} from daybook.cursors where kind = 'route'`)) > 55);
  t.match(await drainOut(database, route, transport), { handled: 0, outcome: "dry" });
});

t.test("a transport that throws, lies, or hangs", async (t) => {
  const { database, transport, route } = await routed(t);
  await append(database, "a-1", "a-2");
  for (const [send, problem] of [
    [() => Promise.reject(new Error("no package")), /no package/],
    [async () => [{ ok: true }], /1 outcomes for 2 messages/],
  ] satisfies [Transport["send"], RegExp][]) {
    t.match(await drainRoute(database.db, route, { ...transport, send }), { handled: 0, outcome: "waiting" });
    t.match(
      await value(database, "select last_error ->> 'message' from daybook.cursors where kind = 'route'"),
      problem,
    );
    await new Promise((done) => setTimeout(done, 20));
  }
  const hanging = { ...transport, send: () => new Promise<never>(() => undefined) };
  const started = performance.now();
  t.match(await drainRoute(database.db, route, hanging, { sendTimeout: 20 }), { handled: 0, outcome: "waiting" });
  t.ok(performance.now() - started < 7000, "it is not waited for");
  await new Promise((done) => setTimeout(done, 20));
  t.match(await drainOut(database, route, transport), { handled: 2 });
  t.equal(await value(database, "select count(*)::int from daybook.parked_streams"), 0);
});

t.test("told to stop: what was taken counts, what was not has not failed", async (t) => {
  const { database, transport, route } = await routed(t);
  await append(database, "a-1", "b-1", "a-1");
  const controller = new AbortController();
  transport.answer = (message) => {
    if (message.key !== "b-1" || controller.signal.aborted) return undefined;
    controller.abort();
    return refused({ held: true });
  };
  t.match(await drainRoute(database.db, route, transport, { signal: controller.signal }), {
    handled: 1,
    outcome: "stopped",
  });
  t.equal(await value(database, "select position::int from daybook.cursors where kind = 'route'"), 1);
  await drainOut(database, route, transport);
  t.same(transport.taken, ["a-1@1", "a-1@2", "b-1@1", "a-1@2"], "sent again where it had not been said to be done");
  t.equal(await value(database, "select count(*)::int from daybook.parked_streams"), 0);
});

t.test("two drains: first deliveries stay in order, and each is sent once", async (t) => {
  const { database, transport, route } = await routed(t);
  transport.answer = () => new Promise((done) => setTimeout(done, 1, undefined));
  await append(database, ...Array.from({ length: 60 }, (_, n) => `a-${n % 4}`));
  const results = await Promise.all([1, 2, 3].map(() => drainOut(database, route, transport, { maxBatch: 7 })));
  t.equal(
    results.reduce((sum, { handled }) => sum + handled, 0),
    60,
  );
  t.equal(transport.taken.length, 60);
  t.same(
    transport.messages.map(({ position }) => position),
    Array.from({ length: 60 }, (_, n) => BigInt(n + 1)),
  );
});

t.test("shadow: the position moves, nothing is sent", async (t) => {
  const { database, transport, route } = await routed(t, { mode: "shadow" });
  await append(database, "a-1", "a-1");
  t.match(await drainOut(database, route, transport), { handled: 2, outcome: "dry" });
  t.same(transport.taken, []);
  await registerRoute(database.db, defineRoute({ ...definitionOf(route), mode: "on" }));
  await append(database, "a-1");
  await drainOut(database, route, transport);
  t.same(transport.taken, ["a-1@3"]);
});

const definitionOf = ({ name, transport, retry }: ReturnType<typeof defineRoute>) => ({ name, transport, retry });

t.test("a message put in directly", async (t) => {
  const { database, transport } = await routed(t, { categories: ["nothing"] });
  const route = defineRoute({ name: "direct", transport: "test", topic: "news", direct: true });
  await registerRoute(database.db, route);
  const rollback = new Error("rolled back");
  const undone = database.db.transaction(async (tx) => {
    await publish(tx, { route: "direct", type: "Told", data: { n: 0 }, key: "k-1" });
    throw rollback;
  });
  await t.rejects(undone, rollback);
  const messageId = "0198f0a0-0000-7000-8000-00000000000e";
  const position = await publish(database.db, {
    route: "direct",
    type: "Told",
    version: 3,
    data: { n: 12345678901234567890n },
    metadata: { by: "test" },
    key: "k-1",
    messageId,
    occurredAt: new Date("2026-01-02T03:04:05.678Z"),
    tenantId: "acme",
  });
  await drainOut(database, route, transport);
  t.match(transport.messages, [
    {
      position,
      tenantId: "acme",
      messageId,
      key: "k-1",
      version: null,
      topic: "news",
      type: "Told",
      typeVersion: 3,
      data: { n: 12345678901234567890n },
      metadata: { by: "test" },
      occurredAt: new Date("2026-01-02T03:04:05.678Z"),
    },
  ]);
  await t.rejects(publish(database.db, { route: "nobody", type: "T", data: {} }), { code: "YD501" });
  await t.rejects(publish(database.db, { route: "direct", type: "T", data: [] }), { code: "YD108" });
  await t.rejects(publish(database.db, { route: "direct", type: "T", data: { f: () => 1 } }), { code: "YD101" });
  await t.rejects(publish(database.db, { route: "direct", type: "T", data: {}, messageId: "x" }), { code: "YD108" });
});
