import { z } from "zod";
import { sent } from "./errors.ts";
import { sendInOrder } from "./send-in-order.ts";
import { Sends } from "./sends.ts";
import type { OutboundMessage, SendOutcome, Transport } from "./transport.ts";

const functionOptions = z.strictObject({
  concurrency: z.int().min(1).default(1),
  timeout: z.number().positive().default(30_000),
});

/** Options of a function transport. */
export type FunctionTransportOptions = z.input<typeof functionOptions>;

/**
 * What a message is handed to. It is taken when the function returns; what it throws, or the outcome it returns, says why
 * not.
 */
export type SendFunction = (
  message: OutboundMessage,
  ctx: { readonly signal: AbortSignal },
  // biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing fits
) => Promise<SendOutcome | void> | SendOutcome | void;

/**
 * A transport that calls a function for each message: mail, another API, a log. Promised: each message at least once, and
 * in order per key; in order of position altogether while `concurrency` is 1, until one fails. Repeats have the same
 * `messageId`.
 *
 * @param name the name that routes know it by
 * @param fn takes a message; it should end when `ctx.signal` is aborted, and is no longer listened to from then on
 * @param options.concurrency calls under way at the same time, each of another key; 1
 * @param options.timeout milliseconds until a call without an answer counts as not sent; 30,000
 */
export function functionTransport(name: string, fn: SendFunction, options: FunctionTransportOptions = {}): Transport {
  const parsed = functionOptions.parse(options);
  const sends = new Sends(name);
  const sendOne = async (message: OutboundMessage, signal: AbortSignal) => (await fn(message, { signal })) ?? sent;
  return {
    name,
    send: (messages, { signal }) => sends.run(() => sendInOrder(messages, { ...parsed, signal, sendOne })),
    close: () => sends.close(),
  };
}
