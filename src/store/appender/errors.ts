import { z } from "zod";
import { errorClass } from "../../error-class.ts";

/**
 * YD905: the connection was lost after an append was sent, and with it the outcome: it may have been written or not.
 * Appends that are safe to repeat (an idempotency key, or an exact expected version) are repeated instead.
 */
export class AppendOutcomeUnknownError extends errorClass(
  "YD905",
  "AppendOutcomeUnknownError",
  z.looseObject({ stream_id: z.string() }),
) {}

/** YD906: the appender was closed before this call. Nothing was written. */
export class AppenderClosedError extends errorClass("YD906", "AppenderClosedError", z.looseObject({})) {}

/** YD907: another transaction held the stream for longer than the appender waits. Nothing was written. */
export class StreamBusyError extends errorClass(
  "YD907",
  "StreamBusyError",
  z.looseObject({ stream_id: z.string(), waited_ms: z.number() }),
) {}
