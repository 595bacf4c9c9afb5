import t, { type Test } from "tap";
import { functionTransport } from "../../src/transports/function.ts";
import type { OutboundMessage } from "../../src/transports/transport.ts";
import { type TransportSubject, transportContract, words } from "../support/contracts/transport-contract.ts";
import { outbound } from "../support/outbound.ts";

const { signal } = new AbortController();

async function subject(_: Test): Promise<TransportSubject> {
  const received: string[] = [];
  let refused = (_message: OutboundMessage) => false;
  let gate = Promise.withResolvers<void>();
  gate.resolve();
  const transport = functionTransport(
    "function",
    async (message) => {
      if (refused(message)) throw new Error("refused");
      received.push(message.messageId);
      await gate.promise;
    },
    { timeout: 300, concurrency: 3 },
  );
  return {
    transport,
    timeout: 300,
    refuse: (which) => {
      refused = which;
    },
    hang: () => {
      gate = Promise.withResolvers();
    },
    answer: () => gate.resolve(),
    received: async () => received,
  };
}

transportContract(t, "function", subject);

t.test("one at a time, in order of position, unless it is told otherwise", async (t) => {
  const seen: bigint[] = [];
  let underWay = 0;
  let most = 0;
  const transport = functionTransport("one", async ({ position }) => {
    most = Math.max(most, ++underWay);
    await new Promise(setImmediate);
    seen.push(position);
    underWay -= 1;
  });
  const messages = Array.from({ length: 50 }, (_, i) => outbound({ key: `key-${i % 7}` }));
  await transport.send(messages, { signal });
  t.equal(most, 1);
});

t.test("a function may answer with an outcome, or not be async at all", async (t) => {
  const transport = functionTransport("outcomes", ({ key }) => {
    if (key === "later") return { ok: false, error: new Error("later"), retryAfter: 5000 };
    if (key === "bad") throw new Error("bad");
    return undefined;
  });
  const [later, bad, good] = await transport.send(
    ["later", "bad", "good"].map((key) => outbound({ key })),
    { signal },
  );
  t.match(later, { ok: false, retryAfter: 5000 });
  t.match(bad, { ok: false, error: { message: "bad" } });
  t.strictSame(good, { ok: true });
});

t.test("what hangs is told to stop", async (t) => {
  let reason: unknown;
  const transport = functionTransport(
    "hangs",
    (_, ctx) =>
      new Promise(() => {
        ctx.signal.addEventListener("abort", () => {
          reason = ctx.signal.reason;
        });
      }),
    { timeout: 20 },
  );
  t.equal(words(await transport.send([outbound()], { signal })), "failed");
  t.match(reason, { name: "TransportTimeoutError", code: "timeout" });
});

t.test("10,000 messages a second are no trouble", async (t) => {
  const transport = functionTransport("fast", () => undefined);
  const messages = Array.from({ length: 20_000 }, (_, i) => outbound({ key: `key-${i % 500}` }));
  const began = performance.now();
  await transport.send(messages, { signal });
  t.ok(performance.now() - began < 2000);
});

t.test("options that are wrong", async (t) => {
  t.throws(() => functionTransport("bad", () => undefined, { concurrency: 0 }));
  t.throws(() => functionTransport("bad", () => undefined, { timeout: -1 }));
});
