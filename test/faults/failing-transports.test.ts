import { setTimeout as sleep } from "node:timers/promises";
import t, { type Test } from "tap";
import { defineRoute, functionTransport, type OutboundMessage, type SendOutcome } from "../../src/index.ts";
import type { Random } from "../concurrency/support/random.ts";
import { value } from "../handlers/support.ts";
import { testDatabase } from "../support/database.ts";
import { eventually, work } from "../worker/support.ts";
import { type Occurrence, occurrenceOf, Streams, seeded } from "./support.ts";

t.setTimeout(120_000);

const TIMEOUT = 100;

/** A worker that sends to a function, whose answers a test decides. */
async function sending(t: Test, choices: Random, attempts = 1000) {
  const database = await testDatabase(t);
  const taken: Occurrence[] = [];
  const other = {
    taken,
    /** What the other side does with a message before it takes it. */
    before: async (_message: OutboundMessage): Promise<SendOutcome | undefined> => undefined,
    /** What it does behind that. */
    after: async (_message: OutboundMessage): Promise<void> => undefined,
  };
  const transport = functionTransport(
    "other",
    async (message) => {
      const outcome = await other.before(message);
      if (outcome !== undefined) return outcome;
      taken.push(occurrenceOf(message));
      await other.after(message);
      return undefined;
    },
    { timeout: TIMEOUT, concurrency: 8 },
  );
  const route = defineRoute({
    name: "out",
    transport: "other",
    topic: "{category}",
    retry: { attempts, baseDelay: 20, maxDelay: 100 },
  });
  await work(t, database, { routes: [route], transports: [transport] });
  const streams = new Streams(database, choices, 10);
  const facts = () =>
    value<Record<string, unknown>>(database, "select to_jsonb(r) from daybook.routes r where name = 'out'");
  /** Waits until all there is has been delivered, and looks whether it is as it should be. */
  const settled = async (message: string) => {
    await eventually(async () => (await facts()).undelivered === 0, 20_000);
    t.same(streams.violations(taken), [], message);
    t.match(await facts(), { state: "running", parked_streams: 0, dead_letters: 0 });
  };
  return { database, other, streams, facts, settled };
}

const refused: SendOutcome = { ok: false, error: new Error("refused") };

seeded(t, "fails for one key: others flow", {}, async (t, choices) => {
  const { other, streams, facts, settled } = await sending(t, choices);
  const bad = choices.pick(streams.names);
  let tries = 0;
  other.before = async ({ key }) => {
    if (key !== bad) return undefined;
    tries += 1;
    return refused;
  };
  await streams.append(1, [bad]);
  await streams.append(100);
  await eventually(() => other.taken.length === streams.count((stream) => stream !== bad));
  await eventually(() => tries > 3);
  // what was taken last is committed a moment later
  await eventually(async () => (await facts()).undelivered === streams.count((stream) => stream === bad));
  t.match(await facts(), { parked_streams: 1 });
  await streams.append(50);
  await eventually(() => other.taken.length === streams.count((stream) => stream !== bad));
  other.before = async () => undefined;
  await settled("then it follows, in order");
  t.same(streams.violations(other.taken, true), [], "none of them twice");
});

seeded(t, "fails for all, by message or as a whole: all follow, in order", {}, async (t, choices) => {
  const { other, streams, settled } = await sending(t, choices);
  for (const outcome of [refused, { ...refused, unavailable: true }, refused]) {
    let tries = 0;
    other.before = async () => {
      tries += 1;
      return outcome;
    };
    const before = other.taken.length;
    await streams.append(choices.between(30, 80));
    await eventually(() => tries > 10);
    t.equal(other.taken.length, before);
    other.before = async () => undefined;
    await streams.append(choices.between(1, 50));
    await settled("all of them, in order");
  }
  t.same(streams.violations(other.taken, true), [], "none of them twice");
});

seeded(t, "fails now and then", {}, async (t, choices) => {
  const { other, streams, settled } = await sending(t, choices);
  const chances = choices.fork(1);
  other.before = async () => {
    await sleep(chances.between(0, 3));
    if (!chances.chance(0.1)) return undefined;
    return chances.chance(0.3) ? { ...refused, unavailable: true } : refused;
  };
  await streams.append(100);
  await settled("all of them, in order");
  t.same(streams.violations(other.taken, true), [], "none of them twice");
});

seeded(t, "away now and then, in the middle of batches: that uses up no try", {}, async (t, choices) => {
  const { other, streams, settled } = await sending(t, choices, 1);
  const chances = choices.fork(1);
  let away = 0;
  other.before = async () => {
    await sleep(chances.between(0, 3));
    if (!chances.chance(0.1)) return undefined;
    away += 1;
    return { ...refused, unavailable: true };
  };
  await streams.append(100);
  await settled("all of them, in order");
  t.ok(away > 0, `${away} times`);
  t.same(streams.violations(other.taken, true), [], "none of them twice");
});

seeded(t, "hangs for one key, then for all", {}, async (t, choices) => {
  const { other, streams, settled } = await sending(t, choices);
  const bad = choices.pick(streams.names);
  const hang = () => new Promise<never>(() => undefined);
  other.before = async ({ key }) => (key === bad ? hang() : undefined);
  await streams.append(1, [bad]);
  await streams.append(80);
  await eventually(() => other.taken.length === streams.count((stream) => stream !== bad));
  let tries = 0;
  other.before = () => {
    tries += 1;
    return hang();
  };
  await streams.append(50);
  await eventually(() => tries > 10);
  other.before = async () => undefined;
  await settled("all of them, in order");
  t.same(streams.violations(other.taken, true), [], "what hung was never taken");
});

seeded(t, "answers after its timeout: at least once, first deliveries in order", {}, async (t, choices) => {
  const { other, streams, settled } = await sending(t, choices);
  const chances = choices.fork(1);
  const late = new Set<Promise<void>>();
  // it takes the message before, or after, it is no longer waited for
  const beLate = async () => {
    if (!chances.chance(0.1)) return;
    const waiting = sleep(TIMEOUT + chances.between(20, 200));
    late.add(waiting);
    await waiting;
  };
  other.before = async () => {
    await beLate();
    return undefined;
  };
  other.after = beLate;
  await streams.append(80);
  await settled("all of them, first deliveries in order");
  await Promise.all(late);
  await sleep(20);
  t.same(streams.violations(other.taken), [], "also with those that came late");
  t.ok(other.taken.length > streams.count(), `${other.taken.length - streams.count()} repeats`);
});
