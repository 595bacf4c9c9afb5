import { z } from "zod";
import { errorClass } from "./error-class.ts";

const whole = z.union([z.int(), z.bigint()]).transform(BigInt);
const names = z.array(z.string());

/** YD601: there is no projection of this name. */
export class UnknownProjectionError extends errorClass(
  "YD601",
  "UnknownProjectionError",
  z.looseObject({ projection: z.string().nullable() }),
) {}
/** YD602: a projection cannot be defined like this: `detail.problems`. Nothing was changed. */
export class InvalidProjectionError extends errorClass(
  "YD602",
  "InvalidProjectionError",
  z.looseObject({ projection: z.string().nullable(), problems: names }),
) {}
/** YD603: a projection of this name is there, and is another one: `detail.differences` says in what. */
export class ProjectionDiffersError extends errorClass(
  "YD603",
  "ProjectionDiffersError",
  z.looseObject({ projection: z.string(), revision: z.coerce.number(), differences: names }),
) {}
/** YD604: what is to change or to go has `detail.dependants` resting on it. Nothing was changed. */
export class ProjectionHasDependantsError extends errorClass(
  "YD604",
  "ProjectionHasDependantsError",
  z.looseObject({ projection: z.string(), dependants: names }),
) {}
/** YD605: a version of the projection is being built already. */
export class RebuildUnderWayError extends errorClass(
  "YD605",
  "RebuildUnderWayError",
  z.looseObject({ projection: z.string(), version: z.coerce.number() }),
) {}
/** YD606: a projection has not come to a position in time; it is at `detail.reached`. */
export class ProjectionTimeoutError extends errorClass(
  "YD606",
  "ProjectionTimeoutError",
  z.looseObject({ projection: z.string(), position: whole, reached: whole, state: z.string() }),
) {}
/** YD607: an inline projection failed on an event, so the append was refused. */
export class InlineProjectionError extends errorClass(
  "YD607",
  "InlineProjectionError",
  z.looseObject({ projection: z.string(), cause: z.looseObject({ code: z.string(), message: z.string() }) }),
) {}
/** YD608: a projection wrote to tables it has not declared. */
export class UndeclaredTableError extends errorClass(
  "YD608",
  "UndeclaredTableError",
  z.looseObject({ projection: z.string(), tables: names }),
) {}

/** The errors of projections that SQL raises. */
export const projectionErrors = [
  UnknownProjectionError,
  InvalidProjectionError,
  ProjectionDiffersError,
  ProjectionHasDependantsError,
  RebuildUnderWayError,
  ProjectionTimeoutError,
  InlineProjectionError,
  UndeclaredTableError,
] as const;
