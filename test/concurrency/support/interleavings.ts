import type { Plan } from "./gates.ts";

/** A step of somebody else, with the name it has in a report. */
export interface Step {
  readonly name: string;
  readonly work: () => Promise<unknown>;
}

/** One way in which the steps of others fall between the gates of a walker. */
export interface Interleaving {
  /** In order: names of steps, `>` where the walker sets out, and gates as `|`. */
  readonly story: string;
  /** Steps at gates. */
  readonly plan: Plan;
  /** Steps when the walker has passed them all. */
  readonly rest: readonly Step[];
}

/** Every way: the steps of each lane keep their order, lanes and gates mix freely. */
export function* interleavings(gates: number, lanes: readonly (readonly Step[])[]): Generator<Interleaving> {
  const walker = Array.from({ length: gates + 1 }, (_, i) => ({ gate: i }));
  for (const order of merges<Step | { gate: number }>([walker, ...lanes])) {
    const plan = new Map<number, (() => Promise<unknown>)[]>();
    const rest: Step[] = [];
    let ahead = 0;
    for (const item of order) {
      if ("gate" in item) ahead = item.gate + 1;
      else if (ahead > gates) rest.push(item);
      else plan.set(ahead, [...(plan.get(ahead) ?? []), item.work]);
    }
    const story = order.map((item) => ("name" in item ? item.name : item.gate === 0 ? ">" : "|")).join(" ");
    yield { story, plan, rest };
  }
}

function* merges<T>(lanes: readonly (readonly T[])[]): Generator<T[]> {
  let empty = true;
  for (const [i, lane] of lanes.entries()) {
    const [first, ...others] = lane;
    if (first === undefined) continue;
    empty = false;
    for (const tail of merges(lanes.with(i, others))) yield [first, ...tail];
  }
  if (empty) yield [];
}
