import type { Row } from "../support/sessions.ts";

/** A server that a scenario may crash. */
export interface Crashable {
  readonly url: string;
  /** Ends it and its children with SIGKILL. */
  kill9(): Promise<void>;
  /** Starts it again; returns when it takes connections. */
  restart(): Promise<void>;
}

export interface Run {
  /** A database with the store installed and nothing in it. */
  readonly url: string;
  /** Decides all random choices. */
  readonly seed: number;
  /** How much of it, in the scenario's own unit. */
  readonly size: number;
  /** The server of the database, for scenarios that need one of their own. */
  readonly server?: Crashable | undefined;
  /** What tests are told of the server of this run, for scenarios that run tests. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Told about the progress of a long run. */
  readonly note: (line: string) => void;
}

export interface Outcome {
  /** Which promises were broken, and where; empty if all held. */
  readonly violations: readonly string[];
  /** What was done: counts, by name. */
  readonly facts: Readonly<Record<string, number>>;
}

/** Many sessions at once doing as they please, and then a look at whether the store has kept its promises. */
export interface Scenario {
  readonly name: string;
  /** What must hold, in a sentence. */
  readonly summary: string;
  /** What `size` counts. */
  readonly unit: string;
  readonly sizes: { readonly test: number; readonly stress: number };
  /** `server`: one of its own, durable, which it crashes; `tests`: a server, on which tests make databases of their own. */
  readonly needs: "database" | "server" | "tests";
  run(run: Run): Promise<Outcome>;
}

/** Event ids that were acknowledged and are not there once, and ids of appends that were rolled back and are there. */
export function idViolations(log: readonly Row[], kept: readonly string[], lost: readonly string[]): string[] {
  const count = new Map<unknown, number>();
  for (const { event_id: id } of log) count.set(id, (count.get(id) ?? 0) + 1);
  const wrong = kept
    .filter((id) => count.get(id) !== 1)
    .map((id) => `acknowledged ${id} is there ${count.get(id) ?? 0} times`);
  const back = lost.filter((id) => count.has(id)).map((id) => `rolled back ${id} is there`);
  return [...wrong.slice(0, 10), ...back.slice(0, 10)];
}
