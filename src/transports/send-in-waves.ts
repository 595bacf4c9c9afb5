import { notSent, sent } from "./errors.ts";
import { type KafkaRecord, KafkaUnavailableError } from "./kafka-client.ts";
import { orderKey } from "./send-in-order.ts";
import type { NotSent, OutboundMessage, SendOutcome } from "./transport.ts";

/** How messages are sent many at a time. */
export interface InWavesOptions {
  readonly signal: AbortSignal;
  readonly toRecord: (message: OutboundMessage) => KafkaRecord;
  readonly sender: { send(records: readonly KafkaRecord[], signal: AbortSignal): Promise<void> };
}

interface Item {
  readonly place: number;
  readonly record: KafkaRecord;
}

/** The messages of a key that are left, in order. */
type Chain = Item[];

/**
 * Sends messages many at a time, and yet each key in order. A wave takes of each key what goes to one topic, and so to one
 * partition, which keeps it in order. When a wave is refused, its keys are sent one by one, so that only what is bad fails.
 */
export async function sendInWaves(
  messages: readonly OutboundMessage[],
  options: InWavesOptions,
): Promise<SendOutcome[]> {
  const outcomes: SendOutcome[] = new Array(messages.length);
  let chains = chainsOf(messages, options.toRecord, outcomes);
  while (chains.length > 0) {
    if (options.signal.aborted) {
      const { error } = notSent(options.signal.reason);
      for (const { place } of chains.flat()) outcomes[place] = { ok: false, error, held: true };
      break;
    }
    const runs = chains.map(firstRun);
    const error = await trySend(runs.flat(), options);
    if (!error) for (const { place } of runs.flat()) outcomes[place] = sent;
    else if (options.signal.aborted || error.unavailable || !mayBeSplit(error))
      for (const chain of chains) fail(chain, error, outcomes);
    else for (const chain of chains) await sendOneByOne(chain, options, outcomes);
    chains = chains
      .map((chain) => chain.filter(({ place }) => outcomes[place] === undefined))
      .filter(({ length }) => length > 0);
  }
  return outcomes;
}

/** What cannot be written as a record fails here, with what follows of its key. */
function chainsOf(
  messages: readonly OutboundMessage[],
  toRecord: InWavesOptions["toRecord"],
  outcomes: SendOutcome[],
): Chain[] {
  const chains = new Map<string, Chain>();
  const failed = new Map<string, NotSent>();
  for (const [place, message] of messages.entries()) {
    const key = orderKey(message);
    const before = failed.get(key);
    if (before) {
      outcomes[place] = before;
      continue;
    }
    try {
      const chain = chains.get(key) ?? [];
      chain.push({ place, record: toRecord(message) });
      chains.set(key, chain);
    } catch (error) {
      const outcome = notSent(error, { permanent: true });
      outcomes[place] = outcome;
      failed.set(key, { ok: false, error: outcome.error, held: true });
    }
  }
  return [...chains.values()];
}

function firstRun(chain: Chain): Item[] {
  const other = chain.findIndex(({ record }) => record.topic !== chain[0]?.record.topic);
  return other === -1 ? chain : chain.slice(0, other);
}

async function sendOneByOne(chain: Chain, options: InWavesOptions, outcomes: SendOutcome[]): Promise<void> {
  for (const [at, item] of chain.entries()) {
    const error = await trySend([item], options);
    if (error) {
      fail(chain.slice(at), error, outcomes);
      return;
    }
    outcomes[item.place] = sent;
  }
}

async function trySend(items: readonly Item[], { sender, signal }: InWavesOptions): Promise<NotSent | null> {
  try {
    await sender.send(
      items.map(({ record }) => record),
      signal,
    );
    return null;
  } catch (error) {
    return notSent(error, error instanceof KafkaUnavailableError ? { unavailable: true } : {});
  }
}

/** A timeout says nothing about any one message, and another would follow. */
function mayBeSplit({ error }: NotSent): boolean {
  return error.name !== "TransportTimeoutError" && error.name !== "MissingPackageError";
}

function fail(chain: Chain, outcome: NotSent, outcomes: SendOutcome[]): void {
  const [first, ...others] = chain;
  const held: NotSent = { ok: false, error: outcome.error, held: true };
  if (first) outcomes[first.place] = outcome;
  for (const { place } of others) outcomes[place] = held;
}
