import { Webhook } from "standardwebhooks";
import t from "tap";
import { signWebhook, verifyWebhook } from "../../src/transports/webhook-signature.ts";

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const timestamp = new Date(1_614_265_330_000);
const signed = {
  headers: signWebhook({
    id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
    timestamp,
    body: '{"test": 2432232314}',
    secrets: [secret],
  }),
  body: '{"test": 2432232314}',
  secrets: [secret],
  now: timestamp,
};

t.test("the example of the specification", async (t) => {
  t.equal(signed.headers["webhook-signature"], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  const their = new Webhook(secret).sign("msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp, signed.body);
  t.equal(signed.headers["webhook-signature"], their);
  t.strictSame(verifyWebhook(signed), { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp });
});

t.test("headers as Headers, a body of bytes, a list of signatures with unknown versions", async (t) => {
  const headers = new Headers({ ...signed.headers });
  headers.set("webhook-signature", `v1a,abc v1,AAAA v1 ${signed.headers["webhook-signature"]}`);
  t.ok(verifyWebhook({ ...signed, headers, body: Buffer.from(signed.body) }));
});

const refused = [
  ["a changed body", { body: '{"test": 1}' }, "no_matching_signature"],
  ["another id", { headers: { ...signed.headers, "webhook-id": "other" } }, "no_matching_signature"],
  ["another time", { headers: { ...signed.headers, "webhook-timestamp": "1614265331" } }, "no_matching_signature"],
  ["another version", { headers: { ...signed.headers, "webhook-signature": "v2,abc" } }, "no_matching_signature"],
  ["no secret", { secrets: [] }, "no_matching_signature"],
  ["too old", { now: new Date(timestamp.getTime() + 301_000) }, "too_old"],
  ["too new", { now: new Date(timestamp.getTime() - 301_000) }, "too_new"],
  ["no time", { headers: { ...signed.headers, "webhook-timestamp": "now" } }, "bad_timestamp"],
  ["no signature", { headers: { ...signed.headers, "webhook-signature": "" } }, "missing_header"],
] as const;

for (const [name, change, reason] of refused) {
  t.test(`refused: ${name}`, async (t) => {
    t.throws(() => verifyWebhook({ ...signed, ...change }), { name: "WebhookVerificationError", reason });
  });
}
