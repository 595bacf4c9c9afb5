import type { Db } from "../db.ts";
import { StaleClaimError } from "../errors.ts";
import { isConnectionLoss } from "../retriable.ts";
import { holdLog } from "./hold-log.ts";
import { holdParked } from "./hold-parked.ts";
import { type Narrower, narrower } from "./narrower.ts";
import {
  EffectError,
  type FailOutcome,
  type Hold,
  type Performed,
  type Refusal,
  type ShardOf,
  type Source,
} from "./types.ts";

/** What a batch takes, and how long it goes on. */
export interface BatchInput {
  readonly limit: number;
  /** Where to look for messages, in this order. */
  readonly look: readonly ("log" | "parked")[];
  /** Milliseconds after which no further message is begun. */
  readonly time: number;
  /** How far the log may be read; undefined = to be found out. */
  readonly horizon: bigint | undefined;
  readonly signal: AbortSignal;
}

/** What became of a batch. */
export type BatchResult<M> =
  | { readonly kind: "nothing" | "stale" }
  | {
      readonly kind: "done";
      readonly hold: Hold<M>;
      readonly handled: number;
      /** There was nothing behind it. */
      readonly isLast: boolean;
      readonly outcome: FailOutcome | undefined;
    }
  | { readonly kind: "failed"; readonly hold: Hold<M>; readonly index: number | undefined; readonly error: unknown };

/**
 * One batch, one transaction: claim, read, effects, finish. The row lock that the claim takes lasts until the commit, so
 * that whoever believes to own the shard too finds nothing to do meanwhile.
 *
 * @throws what is nobody's failure: the connection is lost, the checkpoint is ahead of the log
 */
export async function runBatch<M>(db: Db, source: Source<M>, of: ShardOf, input: BatchInput): Promise<BatchResult<M>> {
  let held: Hold<M> | undefined;
  let phase: "hold" | "effects" | "finish" | "commit" = "hold";
  try {
    return await db.transaction(async (tx): Promise<BatchResult<M>> => {
      const hold = await holdFirst(tx, source, of, input);
      if (hold === undefined) return { kind: "nothing" };
      held = hold;
      phase = "effects";
      const narrowing = narrower(tx);
      const performed = await source.perform(tx, hold.messages, {
        attempt: hold.attempts + 1,
        deadline: performance.now() + input.time,
        signal: input.signal,
        ...narrowing,
      });
      phase = "finish";
      const outcome = await settle(tx, source, hold, performed, narrowing);
      phase = "commit";
      const isLast = hold.isLast && performed.done === hold.messages.length;
      return { kind: "done", hold, handled: performed.taken, isLast, outcome };
    });
  } catch (error) {
    if (error instanceof StaleClaimError) return { kind: "stale" };
    if (held === undefined || !isOfMessages(error, phase)) throw error;
    const cause = error instanceof EffectError ? error.cause : error;
    const index = error instanceof EffectError ? error.index : undefined;
    return { kind: "failed", hold: held, index: held.messages.length === 1 ? 0 : index, error: cause };
  }
}

async function holdFirst<M>(tx: Db, source: Source<M>, of: ShardOf, { look, ...input }: BatchInput) {
  for (const where of look) {
    const hold = await (where === "log" ? holdLog : holdParked)(tx, source, of, input);
    if (hold !== undefined) return hold;
  }
  return undefined;
}

/** Moves the consumer by what was done. Only effects outside the database are refused here: all else was rolled back. */
async function settle<M>(
  tx: Db,
  source: Source<M>,
  hold: Hold<M>,
  performed: Performed,
  { check }: Pick<Narrower, "check">,
): Promise<FailOutcome | undefined> {
  const { messages } = hold;
  const { done, refusals, away } = performed;
  /** Says that so many messages are done, and gives the position behind them. */
  const finish = async (count: number): Promise<bigint | undefined> => {
    const last = messages[count - 1];
    if (count === messages.length) check(await hold.finish(tx));
    else if (last !== undefined) check(await hold.finish(tx, last));
    return last && source.factsOf(last).position;
  };
  const failureOf = ({ index, ...rest }: Refusal) => ({ message: messages[index] as M, ...rest });
  const [first] = refusals;
  if (first !== undefined && (hold.isParked || hold.onFailure !== "park")) {
    return hold.fail(tx, failureOf(first), await finish(first.index));
  }
  let outcome: FailOutcome | undefined;
  for (const refusal of refusals) outcome = await hold.fail(tx, failureOf(refusal));
  const position = await finish(done);
  return away === undefined ? outcome : hold.postpone(tx, failureOf({ index: done, ...away }), position);
}

/** Whether handling the messages has failed, rather than the way to the database. */
function isOfMessages(error: unknown, phase: "hold" | "effects" | "finish" | "commit"): boolean {
  if (error instanceof EffectError) return true;
  if (phase === "hold" || isConnectionLoss(error)) return false;
  // the commit checks deferred constraints; an aborted transaction is that of a statement nobody waited for
  return phase === "commit" || (error instanceof Error && "code" in error && error.code === "25P02");
}
