import { z } from "zod";
import { type CloudEventOptions, envelopeOptions, toCloudEvent } from "./cloud-event.ts";
import { isUnreachable, notSent, sent } from "./errors.ts";
import { encodeHeader } from "./http-headers.ts";
import { parseRetryAfter } from "./retry-after.ts";
import { sendInOrder } from "./send-in-order.ts";
import { Sends } from "./sends.ts";
import type { OutboundMessage, SendOutcome, Transport } from "./transport.ts";
import { isWebhookSecret, signWebhook } from "./webhook-signature.ts";

const secret = z.string().refine(isWebhookSecret, "a secret is whsec_ and the base64 of 24 to 64 bytes");
const url = z.url({ protocol: /^https?$/, error: "a webhook's URL begins with https:// or http://" });

const webhookOptions = z.strictObject({
  name: z.string().min(1),
  url: z.union([url, z.custom<(message: OutboundMessage) => string>((value) => typeof value === "function")]),
  secrets: z.union([
    z.array(secret).nonempty(),
    z.custom<() => readonly string[]>((value) => typeof value === "function"),
  ]),
  headers: z.record(z.string(), z.string()).default({}),
  timeout: z.number().positive().default(15_000),
  concurrency: z.int().min(1).max(1000).default(10),
  maxRetryAfter: z.number().min(0).default(3_600_000),
  ...envelopeOptions,
  mode: envelopeOptions.mode.default("structured"),
});

/** Options of a webhook. */
export interface WebhookTransportOptions extends CloudEventOptions {
  /** The name that routes know it by. */
  readonly name: string;
  /** Where to, or a function of the message. Redirects are not followed: the signature is for this address. */
  readonly url: string | ((message: OutboundMessage) => string);
  /**
   * What is signed with, the newest first: `whsec_` and the base64 of 24 to 64 bytes. A function is asked for each message,
   * so that secrets change without a restart.
   */
  readonly secrets: readonly string[] | (() => readonly string[]);
  /** More headers: an Authorization, say. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Milliseconds until a request without a complete answer counts as not sent; 15,000. */
  readonly timeout?: number | undefined;
  /** Requests under way at the same time, each of another key; 10. */
  readonly concurrency?: number | undefined;
  /** The longest wait that a receiver may ask for, in milliseconds; an hour. */
  readonly maxRetryAfter?: number | undefined;
  /** `structured` (all of it is signed), or `binary` (only the id, the time and the body are). */
  readonly mode?: "structured" | "binary" | undefined;
}

/** A webhook that was answered with a status other than 2xx. */
export class WebhookRefusedError extends Error {
  override readonly name = "WebhookRefusedError";
  readonly code = "refused";
  /** The status of HTTP. */
  readonly status: number;
  /** The beginning of what came with it. */
  readonly body: string;

  constructor(status: number, body: string) {
    super(`answered with status ${status}${body && `: ${body}`}`);
    this.status = status;
    this.body = body;
  }
}

/**
 * A transport that sends each message as an HTTP POST, signed as Standard Webhooks (`verifyWebhook` is the other side).
 * Promised: each message at least once, in order per key; a 2xx is what takes it. A repeat has the same `webhook-id`.
 *
 * 5xx, 408, 425 and timeouts are tried again; 429 and 503, and an address that cannot be reached, are `unavailable`, with
 * the receiver's Retry-After; other 3xx and 4xx are `permanent`: the same will be answered again.
 *
 * @throws z.ZodError for options that are wrong
 */
export function webhookTransport(options: WebhookTransportOptions): Transport {
  const parsed = webhookOptions.parse(options);
  const sends = new Sends(parsed.name);
  const sendOne = (message: OutboundMessage, signal: AbortSignal) => post(message, signal, parsed);
  const { timeout, concurrency } = parsed;
  return {
    name: parsed.name,
    send: (messages, { signal }) => sends.run(() => sendInOrder(messages, { timeout, concurrency, signal, sendOne })),
    close: () => sends.close(),
  };
}

type Parsed = z.output<typeof webhookOptions>;

async function post(message: OutboundMessage, signal: AbortSignal, options: Parsed): Promise<SendOutcome> {
  const { body, headers } = envelope(message, options);
  const secrets = typeof options.secrets === "function" ? options.secrets() : options.secrets;
  const signed = signWebhook({ id: message.messageId, timestamp: new Date(), body, secrets });
  const to = typeof options.url === "function" ? options.url(message) : options.url;
  let response: Response;
  try {
    response = await fetch(to, {
      method: "POST",
      redirect: "manual",
      headers: { ...options.headers, ...headers, ...signed },
      body,
      signal,
    });
  } catch (error) {
    return notSent(error, isUnreachable(error) ? { unavailable: true } : {});
  }
  const text = await beginning(response);
  return response.ok ? sent : refused(response, text, options.maxRetryAfter);
}

function envelope(message: OutboundMessage, options: Parsed): { body: string; headers: Record<string, string> } {
  if (options.mode === "structured") {
    const { contentType, body } = toCloudEvent(message, "structured", options);
    return { body, headers: { "content-type": contentType } };
  }
  const { contentType, attributes, body } = toCloudEvent(message, "binary", options);
  const headers = Object.entries(attributes).map(([name, value]) => [`ce-${name}`, encodeHeader(value)]);
  return { body, headers: { "content-type": contentType, ...Object.fromEntries(headers) } };
}

function refused(response: Response, text: string, maxRetryAfter: number): SendOutcome {
  const { status } = response;
  const asked = parseRetryAfter(response.headers.get("retry-after"));
  return notSent(new WebhookRefusedError(status, text), {
    ...(asked === undefined ? {} : { retryAfter: Math.min(asked, maxRetryAfter) }),
    ...(status === 429 || status === 503 ? { unavailable: true } : {}),
    ...(status < 500 && ![408, 425, 429].includes(status) ? { permanent: true } : {}),
  });
}

/** The connection is used again when the answer was read to its end; an endless one is not worth that. */
async function beginning(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (text.length < 500) text += decoder.decode(chunk, { stream: true });
    if (bytes > 65_536) break;
  }
  return text.slice(0, 500).trim();
}
