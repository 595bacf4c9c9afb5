export {
  type DeadLetterFilter,
  discardDeadLetter,
  discardDeadLetters,
  retryDeadLetter,
  retryDeadLetters,
  retryParked,
} from "./dead-letters.ts";
export type { OnFailure, Retry } from "./definition.ts";
export type { DrainOptions, DrainOutcome, DrainResult } from "./drain.ts";
export type { ConsumerKind } from "./types.ts";
