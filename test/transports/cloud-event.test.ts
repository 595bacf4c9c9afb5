import t from "tap";
import { parseJson } from "../../src/store/json.ts";
import { toCloudEvent } from "../../src/transports/cloud-event.ts";
import { decodeHeader, encodeHeader } from "../../src/transports/http-headers.ts";
import { parseRetryAfter } from "../../src/transports/retry-after.ts";
import { outbound } from "../support/outbound.ts";

const full = outbound({
  position: 9007199254740993n,
  tenantId: "clinic a",
  key: "room-3",
  version: 12n,
  data: { number: 12345678901234567890n, name: "Zoë" },
  metadata: { by: "desk" },
  correlationId: "0192d3c4-0000-7000-8000-00000000000b",
  causationId: "0192d3c4-0000-7000-8000-00000000000c",
  occurredAt: new Date("2026-03-01T12:00:00.123Z"),
});

const attributes = {
  specversion: "1.0",
  id: full.messageId,
  source: "/daybook/clinic%20a",
  type: "waiting-room.patient-arrived.v1",
  subject: "room-3",
  time: "2026-03-01T12:00:00.123Z",
  datacontenttype: "application/json",
  partitionkey: "room-3",
  position: "9007199254740993",
  tenantid: "clinic a",
  streamversion: "12",
  correlationid: "0192d3c4-0000-7000-8000-00000000000b",
  causationid: "0192d3c4-0000-7000-8000-00000000000c",
  metadata: '{"by":"desk"}',
};

t.test("structured", async (t) => {
  const { contentType, body } = toCloudEvent(full, "structured");
  t.equal(contentType, "application/cloudevents+json; charset=UTF-8");
  t.strictSame(parseJson(body), { ...attributes, data: full.data });
  t.match(body, '"number":12345678901234567890', "a number, with all its digits");
});

t.test("binary", async (t) => {
  const { datacontenttype, ...beside } = attributes;
  const event = toCloudEvent(full, "binary");
  t.strictSame(event.contentType, datacontenttype);
  t.strictSame(event.attributes, beside);
  t.equal(event.body, '{"number":12345678901234567890,"name":"Zoë"}');
});

t.test("names of attributes are lower-case letters and digits, at most 20", async (t) => {
  for (const name of Object.keys(toCloudEvent(full, "binary").attributes)) t.match(name, /^[a-z0-9]{1,20}$/);
});

t.test("what is not there is absent", async (t) => {
  const { attributes: found } = toCloudEvent(outbound({ version: null, metadata: {} }), "binary");
  for (const name of ["streamversion", "metadata", "correlationid", "causationid", "dataschema"])
    t.notOk(name in found);
});

t.test("source and schema of the application", async (t) => {
  const { attributes: found } = toCloudEvent(full, "binary", {
    source: ({ route }) => `https://clinic.example/${route}`,
    dataSchema: ({ type, typeVersion }) => `https://clinic.example/schemas/${type}/${typeVersion}`,
  });
  t.match(found, {
    source: "https://clinic.example/test",
    dataschema: "https://clinic.example/schemas/waiting-room.patient-arrived/1",
  });
  t.throws(() => toCloudEvent(full, "binary", { source: "not a uri" }), TypeError);
  t.throws(() => toCloudEvent(full, "binary", { source: () => "" }), TypeError);
  t.throws(() => toCloudEvent(full, "binary", { dataSchema: () => "relative" }), TypeError);
});

t.test("texts in HTTP headers", async (t) => {
  for (const [text, header] of [
    ["Euro € 😀", "Euro%20%E2%82%AC%20%F0%9F%98%80"],
    ['a "b" 100%', "a%20%22b%22%20100%25"],
    ["plain/text:~!", "plain/text:~!"],
    ["\n\u007f", "%0A%7F"],
  ] as const) {
    t.equal(encodeHeader(text), header);
    t.equal(decodeHeader(header), text);
  }
  t.equal(decodeHeader("50% of%zz"), "50% of%zz");
});

t.test("Retry-After", async (t) => {
  const now = new Date("2026-03-01T12:00:00Z");
  for (const [header, wait] of [
    ["0", 0],
    [" 120 ", 120_000],
    ["Sun, 01 Mar 2026 12:00:30 GMT", 30_000],
    ["Sun, 01 Mar 2026 11:00:00 GMT", 0],
    ["-1", undefined],
    ["1.5", undefined],
    ["soon", undefined],
    ["", undefined],
    [null, undefined],
  ] as const) {
    t.equal(parseRetryAfter(header, now), wait, String(header));
  }
});
