import { z } from "zod";
import { errorClass } from "./error-class.ts";

const whole = z.union([z.int(), z.bigint()]).transform(BigInt);
const consumer = { kind: z.string(), name: z.string().nullable() };
const anything = z.looseObject({});

/** YD501: there is no handler, or no route, of this name. */
export class UnknownConsumerError extends errorClass("YD501", "UnknownConsumerError", z.looseObject(consumer)) {}
/** YD502: a handler or a route cannot be defined like this, or it is there and is another one. */
export class InvalidConsumerError extends errorClass("YD502", "InvalidConsumerError", z.looseObject(consumer)) {}
/** YD503: a drain no longer owns the shard it wants to move: it is at `position`, not at `expected`, or was paused. */
export class StaleClaimError extends errorClass(
  "YD503",
  "StaleClaimError",
  z.looseObject({ ...consumer, position: whole.nullable(), expected: whole.nullable() }),
) {}
/** YD504: there is no such dead letter or parked stream, or it is open no longer. */
export class UnknownDeadLetterError extends errorClass("YD504", "UnknownDeadLetterError", anything) {}
/** YD505: the mapping function of a route is missing, has another signature, or failed. */
export class InvalidMappingError extends errorClass("YD505", "InvalidMappingError", anything) {}
/** YD506: what is done by hand and cannot be undone needs a reason. */
export class ReasonMissingError extends errorClass("YD506", "ReasonMissingError", anything) {}

/** The errors of handlers and routes that SQL raises. */
export const consumerErrors = [
  UnknownConsumerError,
  InvalidConsumerError,
  StaleClaimError,
  UnknownDeadLetterError,
  InvalidMappingError,
  ReasonMissingError,
] as const;
