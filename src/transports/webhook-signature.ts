import { createHmac, timingSafeEqual } from "node:crypto";

/**
 * Standard Webhooks 1.0: `webhook-id`, `webhook-timestamp` (seconds) and `webhook-signature`, a list of
 * `v1,<base64 HMAC-SHA256 of id.timestamp.body>`, one for each secret in use.
 *
 * @module
 */

/** The headers of a signed webhook. */
export type WebhookHeaders = Readonly<Record<"webhook-id" | "webhook-timestamp" | "webhook-signature", string>>;

/** A webhook that is not what its signature says, or has none, or is too old. `reason` is one word of it. */
export class WebhookVerificationError extends Error {
  override readonly name = "WebhookVerificationError";
  readonly reason: "missing_header" | "bad_timestamp" | "too_old" | "too_new" | "no_matching_signature";

  constructor(reason: WebhookVerificationError["reason"], message: string) {
    super(message);
    this.reason = reason;
  }
}

/**
 * Signs a body with every secret given, the newest first: receivers that know any of them take it, so secrets are changed
 * by sending with both for a while.
 *
 * @param input.secrets `whsec_` and base64 of 24 to 64 bytes
 */
export function signWebhook(input: {
  readonly id: string;
  readonly timestamp: Date;
  readonly body: string;
  readonly secrets: readonly string[];
}): WebhookHeaders {
  const seconds = String(Math.floor(input.timestamp.getTime() / 1000));
  const signatures = input.secrets.map(
    (secret) => `v1,${digest(secret, input.id, seconds, input.body).toString("base64")}`,
  );
  return { "webhook-id": input.id, "webhook-timestamp": seconds, "webhook-signature": signatures.join(" ") };
}

/** A request as receivers have it: headers as Node's `IncomingMessage` or as `Headers` have them. */
export interface ReceivedWebhook {
  readonly headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The body as it came, byte for byte: not parsed and written again. */
  readonly body: string | Uint8Array;
  /** The secrets that are in use; one that fits is enough. */
  readonly secrets: readonly string[];
  /** How far its time may lie from this side's, in milliseconds; 300,000. */
  readonly tolerance?: number;
  /** This side's time. */
  readonly now?: Date;
}

/**
 * Checks a webhook on the receiving side: that it comes from a holder of one of the secrets, is as it was sent, and is not
 * an old one sent again. Gives its id, to be handed to `processOnce`, and its time.
 *
 * @throws WebhookVerificationError
 */
export function verifyWebhook(request: ReceivedWebhook): { readonly id: string; readonly timestamp: Date } {
  const { body, secrets, tolerance = 300_000, now = new Date() } = request;
  const id = header(request.headers, "webhook-id");
  const seconds = header(request.headers, "webhook-timestamp");
  const signatures = header(request.headers, "webhook-signature").split(" ");
  if (!/^\d{1,12}$/.test(seconds)) {
    throw new WebhookVerificationError("bad_timestamp", "webhook-timestamp is not a number of seconds");
  }
  const timestamp = new Date(Number(seconds) * 1000);
  const age = now.getTime() - timestamp.getTime();
  if (age > tolerance) throw new WebhookVerificationError("too_old", "the webhook is too old");
  if (age < -tolerance) throw new WebhookVerificationError("too_new", "the webhook comes from the future");
  const text = typeof body === "string" ? body : Buffer.from(body);
  const known = secrets.map((secret) => digest(secret, id, seconds, text));
  for (const signature of signatures) {
    const [version, encoded = ""] = signature.split(",");
    const given = Buffer.from(encoded, "base64");
    if (version !== "v1") continue;
    for (const own of known) if (own.length === given.length && timingSafeEqual(own, given)) return { id, timestamp };
  }
  throw new WebhookVerificationError("no_matching_signature", "no signature of the webhook fits any of the secrets");
}

/** Whether a text is a secret of Standard Webhooks. */
export function isWebhookSecret(text: string): boolean {
  const encoded = text.replace(/^whsec_/, "");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return false;
  const bytes = Buffer.from(encoded, "base64").length;
  return bytes >= 24 && bytes <= 64;
}

function digest(secret: string, id: string, seconds: string, body: string | Buffer): Buffer {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  return createHmac("sha256", key).update(`${id}.${seconds}.`).update(body).digest();
}

function header(headers: ReceivedWebhook["headers"], name: string): string {
  const found = headers instanceof Headers ? headers.get(name) : headers[name];
  const value = typeof found === "string" ? found : found?.[0];
  if (value) return value;
  throw new WebhookVerificationError("missing_header", `the header ${name} is missing`);
}
