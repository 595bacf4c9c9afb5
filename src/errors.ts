import { z } from "zod";
import { consumerErrors } from "./consumer-errors.ts";
import { DaybookError, errorClass } from "./error-class.ts";
import { projectionErrors } from "./projection-errors.ts";
import { stateErrors } from "./state-errors.ts";
import { parseJson } from "./store/json.ts";

export {
  InvalidConsumerError,
  InvalidMappingError,
  ReasonMissingError,
  StaleClaimError,
  UnknownConsumerError,
  UnknownDeadLetterError,
} from "./consumer-errors.ts";
export {
  InlineProjectionError,
  InvalidProjectionError,
  ProjectionDiffersError,
  ProjectionHasDependantsError,
  ProjectionTimeoutError,
  RebuildUnderWayError,
  UndeclaredTableError,
  UnknownProjectionError,
} from "./projection-errors.ts";
export {
  InvalidReducerError,
  ReducerDiffersError,
  ReducerFailedError,
  UnknownReducerError,
  UnknownVersionError,
} from "./state-errors.ts";
export { DaybookError };

const whole = z.union([z.int(), z.bigint()]).transform(BigInt);
const count = z.coerce.number();
const anything = z.looseObject({});

const conflict = z
  .looseObject({ stream_id: z.string(), tenant_id: z.string(), expected: whole, actual: whole })
  .transform((c) => ({ streamId: c.stream_id, tenantId: c.tenant_id, expected: c.expected, actual: c.actual }));

/** A version check that failed: the stream is at `actual`; `expected` was n, 0 (must not exist) or -1 (must exist). */
export type VersionConflict = z.output<typeof conflict>;

/** YD001: a stream is at another version than expected. Retriable: read again, decide again. */
export class WrongExpectedVersionError extends errorClass(
  "YD001",
  "WrongExpectedVersionError",
  z.looseObject({ conflicts: z.array(conflict).nonempty() }),
) {
  /** Every check that failed, in the order of the call; one, except from `appendStreams`. */
  get conflicts(): readonly VersionConflict[] {
    return this.detail.conflicts;
  }
}
/** YD002: the idempotency key was used on this stream with another payload. */
export class IdempotencyKeyReusedError extends errorClass(
  "YD002",
  "IdempotencyKeyReusedError",
  z.looseObject({ stream_id: z.string(), idempotency_key: z.string() }),
) {}
/** YD101: an event is not as append takes it. `detail.index` is its place in the call, from 0. */
export class InvalidEventError extends errorClass(
  "YD101",
  "InvalidEventError",
  z.looseObject({ index: count, problem: z.string() }),
) {}
/** YD102: the call is not as append takes it: no events, unknown keys of an entry, one stream in two entries. */
export class InvalidAppendError extends errorClass("YD102", "InvalidAppendError", anything) {}
/** YD103: a stream is named by 1 to 255 characters, none of them a control character. */
export class InvalidStreamIdError extends errorClass("YD103", "InvalidStreamIdError", anything) {}
/** YD104: an expected version is any, none (0), exists (-1) or a version. */
export class InvalidExpectedVersionError extends errorClass("YD104", "InvalidExpectedVersionError", anything) {}
/** YD105: data and metadata of an event are over the configured size (setting `max_event_bytes`). */
export class EventTooLargeError extends errorClass(
  "YD105",
  "EventTooLargeError",
  z.looseObject({ index: count, bytes: count, max_event_bytes: count }),
) {}
/** YD106: more events, or entries, in one call than configured (setting `max_events`). */
export class TooManyEventsError extends errorClass(
  "YD106",
  "TooManyEventsError",
  z.looseObject({ count, max_events: count }),
) {}
/** YD107: the same event id twice in one call. */
export class DuplicateEventIdError extends errorClass(
  "YD107",
  "DuplicateEventIdError",
  z.looseObject({ event_id: z.string() }),
) {}
/** YD108: an argument of a read, of a setting or of upkeep is out of its bounds. */
export class InvalidArgumentError extends errorClass("YD108", "InvalidArgumentError", anything) {}
/** YD201: the database role has no grant for the tenant. */
export class TenantNotGrantedError extends errorClass(
  "YD201",
  "TenantNotGrantedError",
  z.looseObject({ tenant_id: z.string(), role: z.string() }),
) {}
/** YD202: the session is narrowed to another tenant (setting `daybook.tenant`). */
export class TenantNarrowedError extends errorClass(
  "YD202",
  "TenantNarrowedError",
  z.looseObject({ tenant_id: z.string(), narrowed_to: z.string() }),
) {}
/** YD203: no tenant can be named like this. */
export class InvalidTenantError extends errorClass("YD203", "InvalidTenantError", anything) {}
/** YD301: events are never changed. */
export class AppendOnlyError extends errorClass("YD301", "AppendOnlyError", anything) {}
/** YD402: the log is followed under READ COMMITTED only. */
export class WrongIsolationError extends errorClass(
  "YD402",
  "WrongIsolationError",
  z.looseObject({ isolation: z.string() }),
) {}
/** YD403: a checkpoint lies beyond the end of the log; the log has been set back, or it is another log's. */
export class CheckpointAheadError extends errorClass("YD403", "CheckpointAheadError", anything) {}
/** YD901: the database was installed by a newer version of Daybook than this one. Nothing was changed. */
export class DatabaseIsNewerError extends errorClass(
  "YD901",
  "DatabaseIsNewerError",
  z.looseObject({ installed: z.string(), package: z.string() }),
) {}
/** YD902: there is no Daybook in this database. */
export class NotInstalledError extends errorClass("YD902", "NotInstalledError", anything) {}
/** YD903: the installation could not be brought up to date; what had been done by then holds, and it can be run again. */
export class MigrationError extends errorClass("YD903", "MigrationError", anything) {}
/** YD904: other objects of the database rest on Daybook's (`detail.objects`). Nothing was removed. */
export class UninstallBlockedError extends errorClass(
  "YD904",
  "UninstallBlockedError",
  z.looseObject({ objects: z.array(z.string()) }),
) {}

/** An error of the server that is not Daybook's own, where no driver made one: an entry of a batch. */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
  /** The SQLSTATE. */
  readonly code: string;
  readonly detail: string | undefined;
  readonly hint: string | undefined;

  constructor(report: ErrorReport) {
    super(report.message);
    this.code = report.code;
    this.detail = report.detail ?? undefined;
    this.hint = report.hint ?? undefined;
  }
}

const classes = [
  WrongExpectedVersionError,
  IdempotencyKeyReusedError,
  InvalidEventError,
  InvalidAppendError,
  InvalidStreamIdError,
  InvalidExpectedVersionError,
  EventTooLargeError,
  TooManyEventsError,
  DuplicateEventIdError,
  InvalidArgumentError,
  TenantNotGrantedError,
  TenantNarrowedError,
  InvalidTenantError,
  AppendOnlyError,
  WrongIsolationError,
  CheckpointAheadError,
  ...consumerErrors,
  ...projectionErrors,
  ...stateErrors,
] as const;

const report = z.object({
  code: z.string(),
  message: z.string(),
  detail: z.string().nullish(),
  hint: z.string().nullish(),
});

/** An error as the server reports it, and as append_batch reports the error of an entry. */
export type ErrorReport = z.output<typeof report>;

/**
 * The error of Daybook that a driver's error stands for, by its SQLSTATE; any other error is returned as it is. Adapters
 * have done this already; use it for errors of statements that you sent past them.
 *
 * @param error what was thrown, or the `error` of an entry of `append_batch`
 * @param statement the statement it was thrown by, if known: tells that Daybook is not installed
 */
export function toDaybookError(error: unknown, statement = ""): unknown {
  if (error instanceof DaybookError) return error;
  const found = reportOf(error) ?? (error instanceof Error ? reportOf(error.cause) : undefined);
  if (found?.code.startsWith("YD")) return fromReport(found, error);
  if (found?.code === "3F000" && statement.includes("daybook.")) return notInstalled(error);
  return found && !(error instanceof Error) ? new DatabaseError(found) : error;
}

/** The error for a database without Daybook. */
export function notInstalled(cause?: unknown): NotInstalledError {
  return new NotInstalledError("Daybook is not installed in this database", {
    detail: {},
    hint: "Install it with: npx daybook migrate",
    cause,
  });
}

function reportOf(error: unknown): ErrorReport | undefined {
  return report.safeParse(error).data;
}

function fromReport(found: ErrorReport, cause: unknown): DaybookError<unknown> {
  const hint = found.hint ?? undefined;
  const detail = parseDetail(found.detail);
  for (const known of classes) {
    if (known.code !== found.code) continue;
    const parsed = known.detail.safeParse(detail);
    if (parsed.success) return Reflect.construct(known, [found.message, { detail: parsed.data, hint, cause }]);
  }
  return new DaybookError<unknown>(found.code, found.message, { detail, hint, cause });
}

function parseDetail(detail: string | null | undefined): unknown {
  try {
    return parseJson(detail ?? "{}");
  } catch {
    return { text: detail };
  }
}
