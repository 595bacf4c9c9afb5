import t from "tap";
import { testDatabase } from "../support/database.ts";
import { appendEvent, type Call, WAYS } from "./support/calls.ts";
import { buildGates, countGates, walk } from "./support/gates.ts";
import { lastValue } from "./support/in-flight.ts";
import { interleavings } from "./support/interleavings.ts";
import { sessions } from "./support/sessions.ts";
import { openSleeper } from "./support/sleepers.ts";

/*
 * An append is stopped at every look it takes and every lock it asks for, and a process falls asleep in between, in every
 * order there is: it has run dry, announces that it sleeps, looks once more, and waits. Whatever the order, it has
 * seen the event, or it is told of it, or it did not fall asleep.
 */

t.setTimeout(240_000);
const { url } = await testDatabase(t);
const { a, controller } = await sessions(t, url, ["a", "controller"]);
await controller.rows("select daybook.append_event('wake-1', 'Tested')");
await buildGates(controller);
const sleeper = await openSleeper(t, url);

interface Outcome {
  readonly stories: number;
  /** Stories at whose end it waits for an event that it has not seen and is not told of. */
  readonly lost: readonly string[];
  readonly slept: number;
  readonly told: number;
}

async function tryAll(
  call: Call,
  isolation: string,
  end: "commit" | "rollback",
  looksAgain: boolean,
): Promise<Outcome> {
  await a.rows("begin");
  const gates = await countGates(a, () => a.rows(call.text, call.values));
  await a.rows("rollback");
  let [stories, slept, told] = [0, 0, 0];
  const lost: string[] = [];
  let outcome = "";
  let seen = 0;
  const look = async () => {
    seen = (await sleeper.look()).horizon;
  };
  const lane = [
    { name: "dry", work: look },
    {
      name: "announce",
      work: async () => {
        outcome = await sleeper.fallAsleep();
      },
    },
    ...(looksAgain ? [{ name: "look", work: look }] : []),
  ];
  for (const { story, plan, rest } of interleavings(gates, [lane])) {
    for (let ended = 0; ended <= rest.length; ended += 1) {
      await sleeper.wakeUp();
      await sleeper.heard();
      seen = 0;
      await a.rows(`begin isolation level ${isolation}`);
      // its snapshot is older than all that follows
      await a.rows("select from daybook.stream_heads limit 1");
      await walk(controller, a, plan, () => a.rows(call.text, call.values));
      const written = await lastValue(controller);
      for (const step of rest.slice(0, ended)) await step.work();
      await a.rows(end);
      for (const step of rest.slice(ended)) await step.work();
      const heard = (await sleeper.heard()) > 0;
      stories += 1;
      if (outcome !== "appending") slept += 1;
      if (heard) told += 1;
      const isLost = end === "commit" && outcome !== "appending" && seen < written && !heard;
      if (isLost) lost.push(`${story} ${ended}`);
    }
  }
  return { stories, lost, slept, told };
}

for (const isolation of ["read committed", "repeatable read", "serializable"]) {
  for (const { name, call } of isolation === "read committed" ? WAYS : WAYS.slice(0, 1)) {
    t.test(`${name} under ${isolation} wakes whoever falls asleep meanwhile`, async (t) => {
      const { stories, lost, slept, told } = await tryAll(call({ stream: "wake-1" }), isolation, "commit", true);
      t.same(lost.slice(0, 5), [], `${stories} interleavings`);
      t.ok(slept > 10 && told > 10, `it slept in ${slept} and was told in ${told}`);
    });
  }
}

t.test("an append that is rolled back tells nobody", async (t) => {
  const { stories, lost, told } = await tryAll(appendEvent({ stream: "wake-1" }), "read committed", "rollback", true);
  t.same([lost, told], [[], 0], `${stories} interleavings`);
});

t.test("without the second look an event is lost", async (t) => {
  const call = appendEvent({ stream: "wake-1" });
  const { lost } = await tryAll(call, "read committed", "commit", false);
  t.ok(lost.length > 0, `${lost[0]}`);
});
