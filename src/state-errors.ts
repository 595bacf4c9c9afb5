import { z } from "zod";
import { errorClass } from "./error-class.ts";

const whole = z.union([z.int(), z.bigint()]).transform(BigInt);
const anything = z.looseObject({});

/** YD610: there is no reducer of this name. */
export class UnknownReducerError extends errorClass("YD610", "UnknownReducerError", anything) {}
/** YD611: a reducer cannot be defined like this: `detail.problems`. */
export class InvalidReducerError extends errorClass(
  "YD611",
  "InvalidReducerError",
  z.looseObject({ reducer: z.string().nullable(), problems: z.array(z.string()) }),
) {}
/** YD612: a reducer failed at an event: `detail` says at which version of which stream. */
export class ReducerFailedError extends errorClass(
  "YD612",
  "ReducerFailedError",
  z.looseObject({
    reducer: z.string(),
    reducer_version: z.number().nullable(),
    tenant_id: z.string(),
    stream_id: z.string(),
    version: whole,
    type: z.string(),
    event_id: z.string(),
  }),
) {}
/** YD613: a stream has no such version: it is not there yet, or not any more. */
export class UnknownVersionError extends errorClass(
  "YD613",
  "UnknownVersionError",
  z.looseObject({ stream_id: z.string(), version: whole, stream_version: whole }),
) {}
/** YD614: a reducer of this name and version is there, with another function or initial state. */
export class ReducerDiffersError extends errorClass("YD614", "ReducerDiffersError", anything) {}

/** The errors of folding that SQL raises. */
export const stateErrors = [
  UnknownReducerError,
  InvalidReducerError,
  ReducerFailedError,
  UnknownVersionError,
  ReducerDiffersError,
] as const;
