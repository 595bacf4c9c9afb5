import { Buffer } from "node:buffer";
import { Socket } from "node:net";
import t, { type Test } from "tap";
import { kafkaTransport } from "../../src/transports/kafka.ts";
import { words } from "../support/contracts/transport-contract.ts";
import { kafkaBrokers, kafkaMissing, kafkaRecords, kcatMissing } from "../support/kafka.ts";
import { outbound } from "../support/outbound.ts";

// what the mock broker cannot answer for
t.setTimeout(120_000);
const { signal } = new AbortController();

t.test("kafka, default client: every message, each key in order", { skip: kafkaMissing || kcatMissing }, async (t) => {
  const topic = `daybook-${process.pid}-${Date.now()}`;
  const transport = kafkaTransport({ name: "kafka", brokers: kafkaBrokers, topic, autocreateTopics: true });
  t.teardown(() => transport.close());
  const messages = Array.from({ length: 500 }, (_, i) => outbound({ key: `room-${i % 20}` }));
  for (let at = 0; at < messages.length; at += 50) {
    const outcomes = await transport.send(messages.slice(at, at + 50), { signal });
    t.ok(outcomes.every(({ ok }) => ok));
  }
  t.equal(kafkaRecords(kafkaBrokers.join(","), topic).length, 500);
});

/** Cuts the connection in place of the next answer to a request to write: the broker has written, and nobody is told. */
function loseNextAnswer(t: Test): { lost: boolean } {
  const { write, push } = Socket.prototype;
  const state = { lost: false };
  let asked: Socket | undefined;
  t.teardown(() => Object.assign(Socket.prototype, { write, push }));
  Socket.prototype.write = function (this: Socket, chunk: unknown, ...rest: unknown[]) {
    // four bytes of length, two that say which request it is: 0 writes
    if (!state.lost && Buffer.isBuffer(chunk) && chunk.length > 6 && chunk.readInt16BE(4) === 0) asked = this;
    return Reflect.apply(write, this, [chunk, ...rest]);
  };
  Socket.prototype.push = function (this: Socket, chunk: unknown, ...rest: unknown[]) {
    if (this !== asked || state.lost) return Reflect.apply(push, this, [chunk, ...rest]);
    state.lost = true;
    this.destroy();
    return false;
  };
  return state;
}

for (const { idempotent, times } of [
  { idempotent: true, times: 1 },
  { idempotent: false, times: 2 },
]) {
  const name = `kafka, ${idempotent ? "" : "not "}idempotent: what the producer repeats within a send is written ${times === 1 ? "once" : "twice"}`;
  t.test(name, { skip: kafkaMissing || kcatMissing }, async (t) => {
    const topic = `daybook-${process.pid}-${Date.now()}-${times}`;
    const options = { name: "kafka", brokers: kafkaBrokers, topic, autocreateTopics: true, idempotent };
    const transport = kafkaTransport(options);
    t.teardown(() => transport.close());
    t.equal(words(await transport.send([outbound()], { signal })), "ok");
    const answer = loseNextAnswer(t);
    const message = outbound();
    t.equal(words(await transport.send([message], { signal })), "ok", "the producer has tried again by itself");
    t.ok(answer.lost);
    const written = kafkaRecords(kafkaBrokers.join(","), topic).filter(({ headers }) =>
      headers.includes(message.messageId),
    );
    t.equal(written.length, times);
  });
}
