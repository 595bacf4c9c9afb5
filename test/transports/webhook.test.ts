import { Webhook } from "standardwebhooks";
import t, { type Test } from "tap";
import type { OutboundMessage } from "../../src/transports/transport.ts";
import { webhookTransport } from "../../src/transports/webhook.ts";
import { verifyWebhook } from "../../src/transports/webhook-signature.ts";
import { type TransportSubject, transportContract } from "../support/contracts/transport-contract.ts";
import { outbound } from "../support/outbound.ts";
import { webhookReceiver } from "../support/webhook-receiver.ts";

const { signal } = new AbortController();
const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const newer = `whsec_${Buffer.alloc(24, 9).toString("base64")}`;

async function subject(t: Test): Promise<TransportSubject> {
  const received: string[] = [];
  let refused = (_message: OutboundMessage) => false;
  let gate = Promise.withResolvers<void>();
  gate.resolve();
  const { url } = await webhookReceiver(t, async (request, response) => {
    if (request.path === "/refuse") return void response.writeHead(500).end();
    received.push(String(request.headers["webhook-id"]));
    await gate.promise;
    response.writeHead(204).end();
  });
  const transport = webhookTransport({
    name: "webhook",
    url: (message) => (refused(message) ? new URL("/refuse", url).href : url),
    secrets: [secret],
    timeout: 400,
  });
  return {
    transport,
    timeout: 400,
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

transportContract(t, "webhook", subject);

t.test("a signed CloudEvent that others can verify", async (t) => {
  const receiver = await webhookReceiver(t, (_, response) => void response.writeHead(200).end("thanks"));
  const transport = webhookTransport({
    name: "hook",
    url: receiver.url,
    secrets: () => [newer, secret],
    headers: { authorization: "Bearer abc" },
  });
  const message = outbound({ data: { name: "Zoë", amount: 9007199254740993n } });
  t.strictSame(await transport.send([message], { signal }), [{ ok: true }]);
  const [request] = receiver.requests;
  if (!request) throw new Error("no request");
  t.match(request, {
    method: "POST",
    headers: {
      "content-type": "application/cloudevents+json; charset=UTF-8",
      "webhook-id": message.messageId,
      authorization: "Bearer abc",
    },
  });
  t.match(request.body, '"amount":9007199254740993}', "every digit is there");
  for (const known of [secret, newer]) {
    t.match(
      new Webhook(known).verify(request.body, flat(request.headers)),
      { id: message.messageId },
      "by their verifier",
    );
    const { id } = verifyWebhook({ ...request, secrets: [known] });
    t.equal(id, message.messageId, "by ours");
  }
  const other = `whsec_${Buffer.alloc(24, 1).toString("base64")}`;
  t.throws(() => verifyWebhook({ ...request, secrets: [other] }), { name: "WebhookVerificationError" });
});

t.test("binary: attributes in headers, percent-encoded", async (t) => {
  const receiver = await webhookReceiver(t, (_, response) => void response.writeHead(202).end());
  const transport = webhookTransport({ name: "hook", url: receiver.url, secrets: [secret], mode: "binary" });
  await transport.send([outbound({ key: 'Saal "3" – 100 %', data: { a: 1 } })], { signal });
  t.match(receiver.requests[0], {
    body: '{"a":1}',
    headers: {
      "content-type": "application/json",
      "ce-specversion": "1.0",
      "ce-type": "waiting-room.patient-arrived.v1",
      "ce-subject": "Saal%20%223%22%20%E2%80%93%20100%20%25",
    },
  });
});

const answers = [
  { status: 200, ok: true },
  { status: 299, ok: true },
  { status: 301, headers: { location: "/elsewhere" }, permanent: true },
  { status: 307, headers: { location: "/elsewhere" }, permanent: true },
  { status: 400, permanent: true },
  { status: 404, permanent: true },
  { status: 410, permanent: true },
  { status: 408 },
  { status: 425 },
  { status: 429, headers: { "retry-after": "7" }, retryAfter: 7000, unavailable: true },
  { status: 500 },
  { status: 502 },
  { status: 503, headers: { "retry-after": "86400" }, retryAfter: 3_600_000, unavailable: true },
  { status: 503, headers: { "retry-after": "soon" }, unavailable: true },
];

for (const { status, headers = {}, ok = false, ...facts } of answers) {
  t.test(`status ${status} ${JSON.stringify(headers)}`, async (t) => {
    const receiver = await webhookReceiver(t, (_, response) => void response.writeHead(status, headers).end("because"));
    const transport = webhookTransport({ name: "hook", url: receiver.url, secrets: [secret] });
    const [outcome] = await transport.send([outbound()], { signal });
    if (ok) t.strictSame(outcome, { ok: true });
    else if (outcome?.ok === false) {
      const { ok: _, error, ...found } = outcome;
      t.match(error, { name: "WebhookRefusedError", status, body: "because" });
      t.strictSame(found, facts);
    } else t.fail("it was sent");
    t.equal(receiver.requests.length, 1, "redirects are not followed");
  });
}

t.test("Retry-After as a date", async (t) => {
  const at = new Date(Date.now() + 60_000).toUTCString();
  const receiver = await webhookReceiver(t, (_, response) => void response.writeHead(503, { "retry-after": at }).end());
  const transport = webhookTransport({ name: "hook", url: receiver.url, secrets: [secret] });
  const [outcome] = await transport.send([outbound()], { signal });
  const wait = outcome?.ok === false ? (outcome.retryAfter ?? 0) : 0;
  t.ok(wait > 50_000 && wait <= 60_000, `${wait} ms`);
});

t.test("nobody there", async (t) => {
  const { port } = await webhookReceiver(t, () => undefined);
  const free = port === 1 ? 2 : 1;
  const transport = webhookTransport({ name: "hook", url: `http://127.0.0.1:${free + 1000}/`, secrets: [secret] });
  const [outcome] = await transport.send([outbound()], { signal });
  t.match(outcome, { ok: false, unavailable: true });
});

t.test("a connection that is cut is the message's failure: it may have killed the receiver", async (t) => {
  const receiver = await webhookReceiver(t, (_, response) => void response.destroy());
  const transport = webhookTransport({ name: "hook", url: receiver.url, secrets: [secret] });
  const [outcome] = await transport.send([outbound()], { signal });
  t.match(outcome, { ok: false });
  t.notOk(outcome?.ok === false && outcome.unavailable);
});

t.test("an answer without end is cut off", async (t) => {
  const receiver = await webhookReceiver(t, (_, response) => {
    response.writeHead(500);
    const more = setInterval(() => response.write("x".repeat(20_000)), 1);
    response.once("close", () => clearInterval(more));
  });
  const transport = webhookTransport({ name: "hook", url: receiver.url, secrets: [secret], timeout: 5000 });
  const [outcome] = await transport.send([outbound()], { signal });
  t.match(outcome, { ok: false, error: { status: 500 } });
});

t.test("options that are wrong", async (t) => {
  const good = { name: "hook", url: "https://example.com/", secrets: [secret] };
  for (const bad of [{ url: "ftp://x/" }, { url: "x" }, { secrets: [] }, { secrets: ["short"] }, { timeout: 0 }]) {
    t.throws(() => webhookTransport({ ...good, ...bad }), { name: "ZodError" }, JSON.stringify(bad));
  }
});

function flat(headers: Readonly<Record<string, string | readonly string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
