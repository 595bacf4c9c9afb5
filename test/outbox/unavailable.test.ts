import t from "tap";
import { drainRoute, resumeRoute } from "../../src/index.ts";
import { append, value } from "../handlers/support.ts";
import type { TestDatabase } from "../support/database.ts";
import { drainOut, refused, routed } from "./support.ts";

/*
 * The other side is not there: no message is at fault, so none uses up a try, however long it takes.
 */

const facts = (database: TestDatabase) =>
  value<Record<string, unknown>>(database, "select to_jsonb(r) from daybook.routes r");

/** Drains again and again, until something is so. */
async function until(drain: () => Promise<unknown>, isSo: () => boolean | Promise<boolean>) {
  const deadline = Date.now() + 20_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error("it did not become so within 20 s");
    await drain();
    await new Promise((done) => setTimeout(done, 2));
  }
}

t.test("what is away is nobody's failure: the route waits, and then flushes in order", async (t) => {
  for (const onFailure of ["park", "halt", "skip"] as const) {
    const { database, transport, route } = await routed(t, { onFailure });
    let isAway = true;
    transport.answer = () => (isAway ? refused({ unavailable: true }) : undefined);
    await append(database, "a-1", "b-1", "a-1", "c-1");
    let waits = 0;
    for (let tries = 0; tries < 40; tries += 1) {
      if ((await drainOut(database, route, transport)).outcome === "waiting") waits += 1;
      await new Promise((done) => setTimeout(done, 2));
    }
    t.ok(waits > 4, `${waits} tries`);
    t.match(await value(database, "select to_jsonb(r) from daybook.routes r"), {
      state: "running",
      attempts: 0,
      postponed: waits,
      needs_person: true,
      needs_person_reason: `not taken ${waits} times in a row: refused`,
      parked_streams: 0,
      dead_letters: 0,
      undelivered: 4,
      last_error: { message: "refused" },
    });
    isAway = false;
    for (let tries = 0; tries < 1000 && transport.taken.length === 0; tries += 1) {
      await drainOut(database, route, transport);
      await new Promise((done) => setTimeout(done, 2));
    }
    t.same(transport.taken, ["a-1@1", "b-1@1", "a-1@2", "c-1@1"]);
    t.match(await value(database, "select to_jsonb(r) from daybook.routes r"), {
      postponed: 0,
      needs_person: false,
      needs_person_reason: null,
      last_error: null,
      undelivered: 0,
    });
  }
});

t.test("away in the middle: what was taken before is done, parked streams use up no try", async (t) => {
  const { database, transport, route } = await routed(t, { retry: { attempts: 2, baseDelay: 1, maxDelay: 1 } });
  transport.answer = (message) => (message.key === "bad-1" ? refused() : undefined);
  await append(database, "bad-1", "a-1");
  await drainRoute(database.db, route, transport, { budget: 0 });
  t.equal(await value(database, "select attempts from daybook.parked_streams"), 1);
  transport.answer = (message) =>
    message.key === "a-1" && message.version !== 3n ? undefined : refused({ unavailable: true });
  await append(database, "a-1", "a-1", "a-1");
  for (let tries = 0; tries < 20; tries += 1) {
    await drainOut(database, route, transport);
    await new Promise((done) => setTimeout(done, 2));
  }
  t.same(transport.taken, ["a-1@1", "a-1@2"]);
  t.equal(await value(database, "select attempts from daybook.parked_streams"), 1);
  transport.answer = () => undefined;
  for (let tries = 0; tries < 20; tries += 1) {
    await drainOut(database, route, transport);
    await new Promise((done) => setTimeout(done, 2));
  }
  t.same([...transport.taken].sort(), ["a-1@1", "a-1@2", "a-1@3", "a-1@4", "bad-1@1"]);
});

t.test("away for one stream alone: it waits by itself, and is no dead letter by that alone", async (t) => {
  const { database, transport, route } = await routed(t, { retry: { attempts: 1, baseDelay: 1, maxDelay: 2 } });
  const drain = () => drainOut(database, route, transport);
  let tries = 0;
  let isAway = true;
  transport.answer = ({ key }) => {
    if (key !== "a-1" || !isAway) return undefined;
    tries += 1;
    return refused({ unavailable: true });
  };
  await append(database, "a-1", "b-1", "a-1");
  await drain();
  t.same(transport.taken, ["b-1@1"]);
  await until(drain, () => tries > 5);
  const parked = await value<Record<string, unknown>>(database, "select to_jsonb(p) from daybook.parked p");
  t.match(parked, { stream_id: "a-1", attempts: 0, needs_person: false, error: { unavailable: true } });
  t.equal(parked.postponed, tries);
  t.match(await facts(database), {
    state: "running",
    dead_letters: 0,
    needs_person: true,
    needs_person_reason: `not taken ${tries} times in a row: refused`,
  });
  isAway = false;
  await until(drain, () => transport.taken.length === 3);
  t.same(transport.taken, ["b-1@1", "a-1@1", "a-1@2"]);
  t.match(await facts(database), { parked_streams: 0, needs_person: false });
});

t.test("a failure of its own counts all the same, and only that", async (t) => {
  const { database, transport, route } = await routed(t, { retry: { attempts: 2, baseDelay: 1, maxDelay: 2 } });
  const drain = () => drainOut(database, route, transport);
  const answers = [true, false, true, true, false];
  let tries = 0;
  transport.answer = ({ key }) => (key === "a-1" ? refused({ unavailable: answers[tries++] === true }) : undefined);
  await append(database, "a-1", "b-1");
  const dead = () => value<number>(database, "select count(*)::int from daybook.dead_letters");
  await until(drain, async () => (await dead()) === 1);
  t.equal(tries, 5);
  t.match(await value(database, "select to_jsonb(d) from daybook.dead_letters d"), { attempts: 2, state: "waiting" });
  t.match(await facts(database), { needs_person_reason: "dead letters that wait: 1" });
});

t.test("one stream that is never taken does not keep other parked ones waiting", async (t) => {
  const { database, transport, route } = await routed(t, { retry: { attempts: 1000, baseDelay: 1, maxDelay: 50 } });
  const drain = () => drainOut(database, route, transport);
  let isBad = true;
  transport.answer = ({ key }) => {
    if (key === "bad-1") return refused({ unavailable: true });
    return key === "bad-2" && isBad ? refused() : undefined;
  };
  await append(database, "bad-1", "bad-2", "a-1");
  await drain();
  t.same(transport.taken, ["a-1@1"]);
  isBad = false;
  await until(drain, () => transport.taken.length === 2);
  t.same(transport.taken, ["a-1@1", "bad-2@1"]);
});

t.test("before a message that is away, a route that halts or skips stays", async (t) => {
  for (const onFailure of ["halt", "skip"] as const) {
    const { database, transport, route } = await routed(t, {
      onFailure,
      retry: { attempts: 1, baseDelay: 1, maxDelay: 2 },
    });
    const drain = () => drainOut(database, route, transport);
    let tries = 0;
    transport.answer = ({ key }) => {
      if (key !== "a-1" || tries >= 5) return undefined;
      tries += 1;
      return refused({ unavailable: true });
    };
    await append(database, "a-1", "b-1");
    await until(drain, async () => (await facts(database)).undelivered === 0);
    t.same([...new Set(transport.taken)].sort(), ["a-1@1", "b-1@1"], onFailure);
    t.match(await facts(database), { state: "running", dead_letters: 0, postponed: 0 });
  }
});

t.test("a person who knows better has it tried at once", async (t) => {
  const { database, transport, route } = await routed(t, {
    retry: { attempts: 3, baseDelay: 3_600_000, maxDelay: 3_600_000 },
  });
  transport.answer = () => refused({ unavailable: true });
  await append(database, "a-1");
  t.match(await drainOut(database, route, transport), { outcome: "waiting" });
  transport.answer = () => undefined;
  t.match(await drainOut(database, route, transport), { handled: 0, outcome: "dry" });
  await resumeRoute(database.db, { name: "out" });
  t.match(await drainOut(database, route, transport), { handled: 1, outcome: "dry" });
});
