import t from "tap";
import { identityOf, parseDelivery } from "../../src/receiving/inbound-message.ts";
import { toCloudEvent } from "../../src/transports/cloud-event.ts";
import { outbound } from "../support/outbound.ts";

const message = outbound({
  tenantId: "clinic-a",
  version: 9007199254740993n,
  typeVersion: 3,
  data: { number: 12345678901234567890n },
  metadata: { by: "desk" },
  correlationId: "0192d3c4-0000-7000-8000-00000000000b",
});
const expected = {
  id: message.messageId,
  source: "/daybook/clinic-a",
  type: message.type,
  typeVersion: 3,
  data: message.data,
  metadata: message.metadata,
  key: message.key,
  tenantId: "clinic-a",
  version: message.version,
  correlationId: message.correlationId,
  causationId: null,
  occurredAt: message.occurredAt,
  topic: "t",
};

t.test("what was sent is what comes in, in both modes", async (t) => {
  const structured = toCloudEvent(message, "structured");
  const one = parseDelivery({
    contentType: structured.contentType,
    attributes: {},
    body: Buffer.from(structured.body),
    topic: "t",
  });
  const binary = toCloudEvent(message, "binary");
  const other = parseDelivery({ ...binary, body: Buffer.from(binary.body), topic: "t" });
  const { attributes, ...first } = one;
  t.strictSame(first, expected);
  const { attributes: _, ...second } = other;
  t.strictSame(second, expected);
  t.equal(attributes.partitionkey, message.key);
  t.equal(identityOf(one), message.messageId);
});

t.test("events of others", async (t) => {
  const body = JSON.stringify({
    specversion: "1.0",
    id: "7",
    source: "https://x.example",
    type: "com.x.v",
    exts: 5,
    data: { a: 1 },
  });
  const found = parseDelivery({
    contentType: "application/cloudevents+json",
    attributes: {},
    body: Buffer.from(body),
    topic: "t",
  });
  t.match(found, {
    type: "com.x.v",
    typeVersion: 1,
    key: null,
    tenantId: null,
    data: { a: 1 },
    attributes: { exts: "5" },
  });
  t.equal(identityOf(found), "https://x.example 7");
});

t.test("what is no CloudEvent", async (t) => {
  const bad = [
    { contentType: "application/cloudevents+json", body: "{" },
    { contentType: "application/cloudevents+json", body: "{}" },
    { contentType: "application/cloudevents+json", body: '{"specversion":"0.3","id":"1","source":"/","type":"t"}' },
    {
      contentType: "application/cloudevents+json",
      body: '{"specversion":"1.0","id":"1","source":"/","type":"t","data":[1]}',
    },
    { contentType: "application/json", body: "{}" },
    { contentType: undefined, body: "hello" },
  ];
  for (const { contentType, body } of bad) {
    t.throws(() => parseDelivery({ contentType, attributes: {}, body: Buffer.from(body), topic: "t" }), {
      name: "NotACloudEventError",
    });
  }
});
