import { setTimeout as sleep } from "node:timers/promises";
import type { Test } from "tap";
import type { OutboundMessage, SendOutcome, Transport } from "../../../src/transports/transport.ts";
import { outbound } from "../outbound.ts";

/** A transport and its other side, which a test can make difficult. */
export interface TransportSubject {
  readonly transport: Transport;
  /** The transport's timeout, in milliseconds: short. */
  readonly timeout: number;
  /** From now on the other side refuses these messages, and takes all else. */
  refuse(which: (message: OutboundMessage) => boolean): void;
  /** From now on the other side gives no answers. */
  hang(): void;
  /** It gives the answers it has kept back, and answers at once from now on. */
  answer(): void;
  /** Ids of the messages it has taken, in order, repeats included. */
  received(): Promise<readonly string[]>;
}

/**
 * The contract of a transport: what transport.ts says of `Transport`, with a real other side.
 *
 * @param make makes the subject of one test, and has it end with the test
 */
export function transportContract(
  t: Test,
  name: string,
  make: (t: Test) => Promise<TransportSubject>,
  skip: string | false = false,
): void {
  for (const [promise, check] of Object.entries(promises)) {
    t.test(`${name}: ${promise}`, { skip }, async (t) => check(t, await make(t)));
  }
}

const never = new AbortController().signal;
const none = () => false;

/** What became of messages, in a word each. */
export function words(outcomes: readonly SendOutcome[]): string {
  return outcomes.map((outcome) => (outcome.ok ? "ok" : outcome.held ? "held" : "failed")).join(" ");
}

const promises: Readonly<Record<string, (t: Test, subject: TransportSubject) => Promise<void>>> = {
  "every message, each key in order": async (t, subject) => {
    const messages = Array.from({ length: 200 }, (_, i) => outbound({ key: `key-${(i * i) % 17}` }));
    const outcomes = await subject.transport.send(messages, { signal: never });
    t.equal(outcomes.length, messages.length);
    t.ok(outcomes.every((outcome) => outcome.ok));
    const received = await subject.received();
    t.strictSame([...received].sort(), messages.map((message) => message.messageId).sort(), "each once");
    inOrder(t, messages, received);
    t.strictSame(await subject.transport.send([], { signal: never }), [], "nothing to send");
  },

  "a key that fails holds that key alone": async (t, subject) => {
    const messages = ["a", "b", "a", "c", "b", "a"].map((key) => outbound({ key }));
    const [, failing] = messages;
    subject.refuse((message) => message.messageId === failing?.messageId);
    const first = await subject.transport.send(messages, { signal: never });
    t.equal(words(first), "ok failed ok ok held ok");
    t.ok(first.every((outcome) => outcome.ok || outcome.error instanceof Error));
    const left = messages.filter((_, place) => first[place]?.ok === false);
    t.notOk((await subject.received()).includes(left[1]?.messageId ?? ""), "what was held was not sent");
    subject.refuse(none);
    t.equal(words(await subject.transport.send(left, { signal: never })), "ok ok");
    inOrder(t, messages, await subject.received());
  },

  "the same key of another tenant is another key": async (t, subject) => {
    const messages = [outbound({ key: "a" }), outbound({ key: "a", tenantId: "other" }), outbound({ key: "a" })];
    subject.refuse((message) => message.messageId === messages[0]?.messageId);
    t.equal(words(await subject.transport.send(messages, { signal: never })), "failed ok held");
  },

  "all fail": async (t, subject) => {
    const messages = ["a", "b", "a", "b", "c"].map((key) => outbound({ key }));
    subject.refuse(() => true);
    t.equal(words(await subject.transport.send(messages, { signal: never })), "failed failed held held failed");
    t.strictSame(await subject.received(), []);
    subject.refuse(none);
    t.equal(words(await subject.transport.send(messages, { signal: never })), "ok ok ok ok ok");
    inOrder(t, messages, await subject.received());
  },

  "no answer until the timeout, and one behind it": async (t, subject) => {
    const messages = ["a", "a", "b"].map((key) => outbound({ key }));
    await subject.transport.send([outbound({ key: "warm" })], { signal: never });
    subject.hang();
    const began = Date.now();
    const outcomes = await subject.transport.send(messages.slice(0, 2), { signal: never });
    t.equal(words(outcomes), "failed held");
    t.ok(Date.now() - began < subject.timeout + 2000, "gives up at the timeout");
    subject.answer();
    await sleep(50);
    t.equal(words(outcomes), "failed held", "a late answer changes nothing");
    t.equal(words(await subject.transport.send(messages, { signal: never })), "ok ok ok", "and disturbs nothing");
    inOrder(t, messages, await subject.received());
  },

  "an abort ends the send": async (t, subject) => {
    const messages = ["a", "a", "b"].map((key) => outbound({ key }));
    await subject.transport.send([outbound({ key: "warm" })], { signal: never });
    subject.hang();
    const controller = new AbortController();
    const began = Date.now();
    const sending = subject.transport.send(messages, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 50);
    const outcomes = await sending;
    t.ok(Date.now() - began < subject.timeout, "before the timeout");
    t.ok(outcomes.length === 3 && outcomes.every((outcome) => !outcome.ok), "nothing counts as sent");
    t.equal(outcomes[1]?.ok === false && outcomes[1].held, true, "what was not tried is held");
    subject.answer();
    const aborted = await subject.transport.send(messages, { signal: controller.signal });
    t.equal(words(aborted), "held held held", "aborted before it began: nothing is tried");
    t.equal(words(await subject.transport.send(messages, { signal: never })), "ok ok ok");
    inOrder(t, messages, await subject.received());
  },

  "sends at once do not disturb each other": async (t, subject) => {
    const sends = ["a", "b", "c"].map((key) =>
      Array.from({ length: 20 }, (_, i) => outbound({ key: `${key}-${i % 3}` })),
    );
    const bad = sends[1]?.[0]?.messageId;
    subject.refuse((message) => message.messageId === bad);
    const all = await Promise.all(sends.map((messages) => subject.transport.send(messages, { signal: never })));
    t.strictSame(
      all.map((outcomes) => outcomes.filter((outcome) => outcome.ok).length),
      [20, 13, 20],
    );
    inOrder(t, sends.flat(), await subject.received());
  },

  "close lets sends end": async (t, subject) => {
    const messages = Array.from({ length: 20 }, (_, i) => outbound({ key: `key-${i % 4}` }));
    const sending = subject.transport.send(messages, { signal: never });
    const closing = subject.transport.close();
    await closing;
    t.equal((await subject.received()).length, 20, "closed when all had been sent");
    t.ok((await sending).every((outcome) => outcome.ok));
    await subject.transport.close();
    await t.rejects(subject.transport.send(messages, { signal: never }), { name: "TransportClosedError" });
  },
};

/** First deliveries of each key come in its order. */
function inOrder(t: Test, messages: readonly OutboundMessage[], received: readonly string[]): void {
  const firsts = [...new Set(received)];
  const keys = Map.groupBy(messages, (message) => `${message.tenantId} ${message.key}`);
  const wrong = [...keys].filter(([, own]) => {
    const ids = own.map((message) => message.messageId);
    const arrived = firsts.filter((id) => ids.includes(id));
    return arrived.some((id, place) => ids[place] !== id);
  });
  t.strictSame(
    wrong.map(([key]) => key),
    [],
    "keys that are out of order",
  );
}
