import { notSent, TransportTimeoutError } from "./errors.ts";
import type { NotSent, OutboundMessage, SendOutcome } from "./transport.ts";

/** How messages are sent one by one. */
export interface InOrderOptions {
  readonly signal: AbortSignal;
  /** Milliseconds until a message without an answer counts as not sent. */
  readonly timeout: number;
  /** Messages under way at the same time, each of another key. */
  readonly concurrency: number;
  /**
   * Sends one message; what it throws becomes the outcome.
   *
   * @param signal aborted at the timeout, and with the send
   */
  readonly sendOne: (message: OutboundMessage, signal: AbortSignal) => Promise<SendOutcome>;
}

/** What order is kept for. */
export function orderKey(message: Pick<OutboundMessage, "tenantId" | "key">): string {
  return `${message.tenantId}\0${message.key}`;
}

/**
 * Sends messages one by one, each behind the one before of its key, and holds a key's messages after one of them was not
 * sent: what every transport promises, for transports whose other side takes single messages. Always resolves, soon after
 * the signal.
 */
export function sendInOrder(messages: readonly OutboundMessage[], options: InOrderOptions): Promise<SendOutcome[]> {
  return new Promise((resolve) => new Run(messages, options, resolve).start());
}

/** The messages of one key: the places of those that are left, in order. */
interface Chain {
  readonly places: number[];
  next: number;
}

class Run {
  readonly #messages: readonly OutboundMessage[];
  readonly #options: InOrderOptions;
  readonly #resolve: (outcomes: SendOutcome[]) => void;
  readonly #outcomes: SendOutcome[];
  /** Chains whose next message may go; those before #at have gone. */
  readonly #ready: Chain[];
  #at = 0;
  /** How each message under way is given up. */
  readonly #underWay = new Set<(error: unknown) => void>();
  #left: number;

  constructor(messages: readonly OutboundMessage[], options: InOrderOptions, resolve: (o: SendOutcome[]) => void) {
    this.#messages = messages;
    this.#options = options;
    this.#resolve = resolve;
    this.#outcomes = new Array(messages.length);
    this.#ready = chainsOf(messages);
    this.#left = messages.length;
  }

  start(): void {
    const { signal } = this.#options;
    signal.addEventListener("abort", this.#abort, { once: true });
    if (signal.aborted) this.#abort();
    this.#go();
  }

  /** Starts what may start; ends the run when nothing is left. */
  #go(): void {
    const { concurrency } = this.#options;
    while (this.#underWay.size < concurrency && this.#at < this.#ready.length) {
      const chain = this.#ready[this.#at];
      this.#at += 1;
      if (chain) this.#send(chain);
    }
    if (this.#left > 0) return;
    this.#options.signal.removeEventListener("abort", this.#abort);
    this.#resolve(this.#outcomes);
  }

  #send(chain: Chain): void {
    const message = this.#messages[chain.places[chain.next] ?? 0];
    if (!message) return;
    const { timeout, sendOne } = this.#options;
    const controller = new AbortController();
    let settled = false;
    const settle = (outcome: SendOutcome) => {
      // an answer after the timeout changes nothing
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      this.#underWay.delete(giveUp);
      this.#done(chain, outcome);
    };
    const giveUp = (error: unknown) => {
      settle(notSent(error));
      controller.abort(error);
    };
    const timer = setTimeout(
      () => giveUp(new TransportTimeoutError(`message ${message.messageId} had no answer within ${timeout} ms`)),
      timeout,
    );
    this.#underWay.add(giveUp);
    attempt(sendOne, message, controller.signal).then(settle, (error: unknown) => settle(notSent(error)));
  }

  #done(chain: Chain, outcome: SendOutcome): void {
    this.#outcomes[chain.places[chain.next] ?? 0] = outcome;
    this.#left -= 1;
    chain.next += 1;
    if (!outcome.ok) this.#hold(chain, outcome.error);
    else if (chain.next < chain.places.length) this.#ready.push(chain);
    this.#go();
  }

  /** The rest of a key waits. */
  #hold(chain: Chain, error: Error): void {
    const held: NotSent = { ok: false, error, held: true };
    for (; chain.next < chain.places.length; chain.next += 1) {
      this.#outcomes[chain.places[chain.next] ?? 0] = held;
      this.#left -= 1;
    }
  }

  readonly #abort = (): void => {
    const { error } = notSent(this.#options.signal.reason);
    for (; this.#at < this.#ready.length; this.#at += 1) {
      const chain = this.#ready[this.#at];
      if (chain) this.#hold(chain, error);
    }
    for (const giveUp of [...this.#underWay]) giveUp(error);
    this.#go();
  };
}

async function attempt(
  sendOne: InOrderOptions["sendOne"],
  message: OutboundMessage,
  signal: AbortSignal,
): Promise<SendOutcome> {
  return sendOne(message, signal);
}

function chainsOf(messages: readonly OutboundMessage[]): Chain[] {
  const chains = new Map<string, Chain>();
  for (const [place, message] of messages.entries()) {
    const key = orderKey(message);
    const chain = chains.get(key);
    if (chain) chain.places.push(place);
    else chains.set(key, { places: [place], next: 0 });
  }
  return [...chains.values()];
}
