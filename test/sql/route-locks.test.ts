import t, { type Test } from "tap";
import { endedOrBlocked, sessions } from "../concurrency/support/sessions.ts";
import { testDatabase } from "../support/database.ts";
import { ack, nack, queue, receive } from "./receivers.ts";

/*
 * Who receives takes the rows of its streams in an order of its own; what is done to the whole route takes all of them.
 * The one waits for the other before either has a row: no 40P01.
 */

t.setTimeout(60_000);
const database = await testDatabase(t);

/** Puts two streams into a route of its own and has a session receive them. */
async function received(t: Test, name: string, more = "") {
  const all = await sessions(t, database.url, ["one", "person", "monitor"]);
  const put = await queue(database, name, more);
  for (const stream of [1, 2]) await put(stream, 2);
  const messages = await receive(all.one, name);
  t.equal(messages.length, 2);
  return { ...all, tokens: messages.map(({ token }) => token) };
}

const whole = {
  reset: (name: string) => `select daybook.reset_route('${name}')`,
  drop: (name: string) => `select daybook.drop_route('${name}', 'test')`,
};

for (const [word, statement] of Object.entries(whole)) {
  t.test(`${word} between an ack and a nack that uses up the tries`, async (t) => {
    const name = `${word}nack`;
    const { one, person, monitor, tokens } = await received(t, name, ", max_attempts => 1");
    await one.rows("begin");
    t.equal(await ack(one, name, tokens[0]), true);
    const doing = person.outcome(statement(name));
    t.equal(await endedOrBlocked(monitor, person, [one], doing), "blocked");
    t.equal(await nack(one, name, tokens[1]), "dead");
    await one.rows("commit");
    t.equal(await doing, "ok");
  });

  t.test(`${word} between two acks, whichever is the first`, async (t) => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const name = `${word}acks${order.join("")}`;
      const { one, person, monitor, tokens } = await received(t, name);
      await one.rows("begin");
      t.equal(await ack(one, name, tokens[order[0] ?? 0]), true);
      const doing = person.outcome(statement(name));
      t.equal(await endedOrBlocked(monitor, person, [one], doing), "blocked");
      t.equal(await ack(one, name, tokens[order[1] ?? 0]), true);
      await one.rows("commit");
      t.equal(await doing, "ok");
    }
  });
}

t.test("reset while a receiver gives up a message of a route that halts", async (t) => {
  const name = "halting";
  const { one, person, monitor } = await sessions(t, database.url, ["one", "person", "monitor"]);
  const put = await queue(database, name, ", max_attempts => 1, on_failure => 'halt'");
  await put(1);
  await put(2);
  const [first] = await receive(one, name, 1);
  t.equal((await receive(one, name, 1, "1 millisecond")).length, 1);
  await one.rows("select pg_sleep(0.01)");
  await one.rows("begin");
  t.equal(await ack(one, name, first?.token), true);
  const doing = person.outcome(whole.reset(name));
  t.equal(await endedOrBlocked(monitor, person, [one], doing), "blocked");
  t.same(await receive(one, name), [], "its tries are used up");
  t.equal(await one.value("select state from daybook.routes where name = $1", [name]), "halted");
  await one.rows("commit");
  t.equal(await doing, "ok");
  t.equal((await receive(one, name)).length, 2, "from the start");
});

t.test("discarding dead letters that are just being acknowledged, in another order", async (t) => {
  const name = "dying";
  const { one, person, monitor, tokens } = await received(t, name, ", max_attempts => 1");
  for (const token of tokens) t.equal(await nack(one, name, token), "dead");
  await person.rows("select daybook.retry_dead_letters('route', $1)", [name]);
  const again = await receive(one, name);
  t.equal(again.length, 2);
  await one.rows("begin");
  t.equal(await ack(one, name, again[1]?.token), true);
  const doing = person.value<number>("select daybook.discard_dead_letters('route', $1, 'test')", [name]);
  t.equal(await endedOrBlocked(monitor, person, [one], doing), "blocked");
  t.equal(await ack(one, name, again[0]?.token), true);
  await one.rows("commit");
  t.equal(await doing, 0, "both are done");
});

t.test("a pause waits for nobody who is at work on a message", async (t) => {
  const { one, person, tokens } = await received(t, "pausing");
  await one.rows("begin");
  t.equal(await ack(one, "pausing", tokens[0]), true);
  t.equal(await person.outcome("select daybook.pause_route('pausing')"), "ok");
  t.equal(await ack(one, "pausing", tokens[1]), true);
  await one.rows("commit");
});
