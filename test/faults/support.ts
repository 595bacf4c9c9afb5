import type { Test } from "tap";
import { append, type OutboundMessage } from "../../src/index.ts";
import { newSeed, type Random, random } from "../concurrency/support/random.ts";
import type { TestDatabase } from "../support/database.ts";

/** What happened to a message, or what an event led to: its stream and its place in it. */
export interface Occurrence {
  readonly key: string;
  readonly version: number;
}

export const occurrenceOf = ({ key, version }: Pick<OutboundMessage, "key" | "version">): Occurrence => ({
  key,
  version: Number(version),
});

/** A test whose choices a seed decides; `DAYBOOK_SEED` repeats those of an earlier run. */
export function seeded(
  t: Test,
  name: string,
  options: { readonly skip?: string | false },
  work: (t: Test, choices: Random) => Promise<void>,
): void {
  const seed = Number(process.env.DAYBOOK_SEED ?? newSeed());
  t.test(`${name} (seed ${seed})`, options, (t) => work(t, random(seed)));
}

/** Streams with events in them, and who appends more. */
export class Streams {
  readonly #database: TestDatabase;
  readonly #choices: Random;
  readonly names: readonly string[];
  readonly #counts = new Map<string, number>();

  constructor(database: TestDatabase, choices: Random, count: number) {
    this.#database = database;
    this.#choices = choices;
    this.names = Array.from({ length: count }, (_, n) => `fault-${n}`);
  }

  /** Appends about so many events, one to three at once, to streams by choice. */
  async append(count: number, streams: readonly string[] = this.names): Promise<void> {
    for (let done = 0; done < count; ) {
      const streamId = this.#choices.pick(streams);
      const events = Array.from({ length: this.#choices.between(1, 3) }, () => ({ type: "Tested", data: {} }));
      await append(this.#database.db, { streamId, events });
      done += events.length;
      this.#counts.set(streamId, (this.#counts.get(streamId) ?? 0) + events.length);
    }
  }

  /** How many events there are, of all streams or of those that fit. */
  count(fits: (stream: string) => boolean = () => true): number {
    return [...this.#counts].reduce((sum, [stream, count]) => sum + (fits(stream) ? count : 0), 0);
  }

  /** What is not as it should be: events that are missing, and first occurrences that are out of order. */
  violations(occurrences: readonly Occurrence[], isOnce = false): string[] {
    const found: string[] = [];
    for (const [stream, count] of this.#counts) {
      const all = occurrences.filter(({ key }) => key === stream).map(({ version }) => version);
      const firsts = isOnce ? all : [...new Set(all)];
      const expected = Array.from({ length: count }, (_, i) => i + 1);
      if (firsts.join() !== expected.join()) found.push(`${stream} has ${firsts.join()} of 1 to ${count}`);
    }
    return found;
  }
}

/** Effects in the order of their commits, as far as each stream is concerned. */
export async function effectsOf({ pool }: TestDatabase, table = "effects"): Promise<Occurrence[]> {
  const { rows } = await pool.query(`select key, version::integer as version from ${table} order by n`);
  return rows;
}

/** A table of effects that would take one twice. */
export async function effectsTable({ pool }: TestDatabase): Promise<void> {
  await pool.query("create table effects (n bigint generated always as identity, key text, version bigint)");
}
