import t from "tap";
import {
  defineHandler,
  discardDeadLetter,
  drainHandler,
  type HandlerDefinition,
  registerHandler,
  resumeHandler,
  retryDeadLetter,
} from "../../src/index.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { append, drainAll, effectNames, effectsTable, value, writeEffect } from "./support.ts";

/** A handler that fails for events of `poison-1` at version 2 as long as `isPoisonous`. */
async function poisoned(database: TestDatabase, options: Partial<HandlerDefinition> = {}) {
  await effectsTable(database);
  const state = { isPoisonous: true, attempts: [] as number[] };
  const handler = defineHandler({
    name: "victim",
    subscribesTo: ["*"],
    retry: { attempts: 3, baseDelay: 1, maxDelay: 5 },
    ...options,
    handleBatch: undefined,
    batchByTenant: undefined,
    async handle(event, { tx, handler, attempt }) {
      await writeEffect(tx, handler, event);
      if (event.streamId !== "poison-1" || event.version !== 2n) return;
      state.attempts.push(attempt);
      if (state.isPoisonous) throw Object.assign(new TypeError("it is poison"), { code: "E_POISON" });
    },
  });
  await registerHandler(database.db, handler);
  await append(database, "a-1", "poison-1", "poison-1", "a-1", "poison-1", "b-1");
  return { handler, state };
}

/** Drains again and again until something is so. */
async function drainUntil(database: TestDatabase, handler: ReturnType<typeof defineHandler>, isSo: string) {
  for (let tries = 0; tries < 200; tries += 1) {
    await drainAll(database.db, handler);
    if (await value(database, isSo)) return;
    await new Promise((done) => setTimeout(done, 5));
  }
  throw new Error(`never so: ${isSo}`);
}

t.test("halt: stays before the event, loudly", async (t) => {
  const database = await testDatabase(t);
  const { handler, state } = await poisoned(database, { onFailure: "halt" });
  const first = await drainHandler(database.db, handler);
  t.same(first, { handled: 2, more: false, outcome: "waiting" });
  t.same(await effectNames(database), ["a-1@1", "poison-1@1"], "the one before it is done, and committed");
  await drainUntil(database, handler, "select state = 'halted' from daybook.consumers");
  // the first try was in a batch with the ones before it: it does not count
  t.same(state.attempts, [1, 1, 2, 3]);
  t.same((await drainHandler(database.db, handler)).outcome, "dry", "a person is needed");
  t.match(await value(database, "select state_reason from daybook.consumers"), "it is poison");
  t.match(await value(database, "select last_error from daybook.cursors"), {
    name: "TypeError",
    message: "it is poison",
    code: "E_POISON",
    stack: /failure-modes/,
    position: 3,
    event_id: /-/,
    at: /./,
  });
  t.equal(await value(database, "select needs_person from daybook.handlers"), true);
  state.isPoisonous = false;
  await resumeHandler(database.db, { name: "victim" });
  t.match(await drainAll(database.db, handler), { handled: 4, outcome: "dry" });
  t.same(await effectNames(database), ["a-1@1", "poison-1@1", "poison-1@2", "a-1@2", "poison-1@3", "b-1@1"]);
  t.equal(await value(database, "select last_error from daybook.cursors"), null);
});

t.test("park: its stream waits, others flow; retried, it resumes in order", async (t) => {
  const database = await testDatabase(t);
  const { handler, state } = await poisoned(database);
  t.match(await drainAll(database.db, handler), { outcome: "dry" });
  t.same(await effectNames(database), ["a-1@1", "poison-1@1", "a-1@2", "b-1@1"]);
  await drainUntil(database, handler, "select retry_at is null from daybook.parked_streams");
  t.same(state.attempts, [1, 1, 2, 3]);
  await append(database, "poison-1", "a-1");
  await drainAll(database.db, handler);
  t.same(await effectNames(database), ["a-1@1", "poison-1@1", "a-1@2", "b-1@1", "a-1@3"]);
  const letter = await value<string>(database, "select dead_letter from daybook.dead_letters where state = 'waiting'");
  await retryDeadLetter(database.db, { deadLetter: BigInt(letter) });
  await drainAll(database.db, handler);
  t.equal(await value(database, "select count(*)::int from daybook.parked_streams"), 1, "it is poison still");
  state.isPoisonous = false;
  // where the machine is slow it has used up its tries again by now
  await value(database, "select daybook.retry_dead_letters()");
  await drainUntil(database, handler, "select count(*) = 0 from daybook.parked_streams");
  t.same((await effectNames(database)).slice(5), ["poison-1@2", "poison-1@3", "poison-1@4"]);
  t.equal(await value(database, "select state from daybook.dead_letters"), "done");
  await append(database, "poison-1");
  await drainAll(database.db, handler);
  t.equal((await effectNames(database)).at(-1), "poison-1@5", "it flows again");
});

t.test("park: discarded, it resumes behind the event", async (t) => {
  const database = await testDatabase(t);
  const { handler } = await poisoned(database);
  await drainUntil(database, handler, "select count(*) = 1 from daybook.dead_letters where state = 'waiting'");
  const letter = await value<string>(database, "select dead_letter from daybook.dead_letters");
  await t.rejects(discardDeadLetter(database.db, { deadLetter: BigInt(letter), reason: "" }), { code: "YD506" });
  await t.rejects(discardDeadLetter(database.db, { deadLetter: 99n, reason: "x" }), { code: "YD504" });
  await discardDeadLetter(database.db, { deadLetter: BigInt(letter), reason: "it is poison" });
  await drainUntil(database, handler, "select count(*) = 0 from daybook.parked_streams");
  t.same(await effectNames(database), ["a-1@1", "poison-1@1", "a-1@2", "b-1@1", "poison-1@3"]);
  t.equal(await value(database, "select state from daybook.dead_letters"), "discarded");
});

t.test("skip: a dead letter, and on", async (t) => {
  const database = await testDatabase(t);
  const { handler } = await poisoned(database, { onFailure: "skip" });
  await drainUntil(database, handler, "select position = 6 from daybook.cursors");
  t.same(await effectNames(database), ["a-1@1", "poison-1@1", "a-1@2", "poison-1@3", "b-1@1"]);
  t.match(
    (
      await database.pool.query(
        "select state, attempts, type, stream_id, position::int, error from daybook.dead_letters",
      )
    ).rows,
    [
      {
        state: "skipped",
        attempts: 3,
        type: "Tested",
        stream_id: "poison-1",
        position: 3,
        error: { message: "it is poison" },
      },
    ],
  );
});

t.test("an event of a parked stream fails while it resumes", async (t) => {
  const database = await testDatabase(t);
  await effectsTable(database);
  const failing = new Set([2n]);
  const handler = defineHandler({
    name: "victim",
    subscribesTo: ["*"],
    retry: { attempts: 2, baseDelay: 1, maxDelay: 1 },
    async handle(event, { tx, handler }) {
      await writeEffect(tx, handler, event);
      if (failing.has(event.version)) throw new Error(`fails at ${event.version}`);
    },
  });
  await registerHandler(database.db, handler);
  await append(database, ...Array.from({ length: 20 }, () => "a-1"));
  await drainUntil(database, handler, "select count(*) = 1 from daybook.dead_letters where state = 'waiting'");
  failing.clear();
  failing.add(13n);
  await value(database, "select daybook.retry_dead_letter(dead_letter) from daybook.dead_letters");
  await drainUntil(database, handler, "select count(*) = 1 from daybook.dead_letters where state = 'waiting'");
  t.same(
    await effectNames(database),
    Array.from({ length: 12 }, (_, i) => `a-1@${i + 1}`),
    "those before it are done",
  );
  t.equal(await value(database, "select position::int from daybook.parked_streams"), 13);
  t.same(await value(database, "select array_agg(state order by dead_letter) from daybook.dead_letters"), [
    "done",
    "waiting",
  ]);
  failing.clear();
  await value(
    database,
    "select daybook.discard_dead_letter(dead_letter, 'x') from daybook.dead_letters where state = 'waiting'",
  );
  await drainUntil(database, handler, "select count(*) = 0 from daybook.parked_streams");
  t.same(
    (await effectNames(database)).slice(12),
    Array.from({ length: 7 }, (_, i) => `a-1@${i + 14}`),
  );
});

t.test("whatever is thrown is kept, bounded", async (t) => {
  const database = await testDatabase(t);
  const thrown: unknown[] = [
    "a text",
    undefined,
    { an: "object" },
    new Error("x\0y\ud800".repeat(5000), { cause: new Error("the cause") }),
    new AggregateError([new Error("one"), new Error("two")]),
  ];
  const handler = defineHandler({
    name: "victim",
    subscribesTo: ["*"],
    retry: { attempts: 1 },
    handle(event) {
      throw thrown[Number(event.position) - 1];
    },
  });
  await registerHandler(database.db, handler);
  await append(database, "a-1", "a-2", "a-3", "a-4", "a-5");
  await drainAll(database.db, handler);
  const { rows } = await database.pool.query("select error from daybook.dead_letters order by position");
  t.match(
    rows.map(({ error }) => error),
    [
      { name: "string", message: "a text" },
      { name: "undefined", message: "undefined" },
      { name: "object", message: "{ an: 'object' }" },
      { name: "Error", message: /^xy.{1990,2010}…$/u, cause: "the cause" },
      { name: "AggregateError", message: "one; two" },
    ],
  );
});
