import { z } from "zod";
import type { DbLike } from "../db.ts";
import type { ReceiveOptions } from "./process-message.ts";

const isFunction = (value: unknown) => typeof value === "function";

/** The options that all consumers have, checked. */
export const receiveOptions = {
  db: z.custom<DbLike>((value) => typeof value === "object" && value !== null, "db is a database"),
  consumer: z.string().min(1).max(255),
  handle: z.custom<ReceiveOptions["handle"]>(isFunction, "handle is a function"),
  tenant: z.enum(["session", "message"]).default("session"),
  attempts: z.int().min(1).default(5),
  baseDelay: z.number().positive().default(200),
  maxDelay: z.number().positive().default(30_000),
  onError: z.custom<NonNullable<ReceiveOptions["onError"]>>(isFunction, "onError is a function").default(() => ignore),
};

/** What a consumer has done since it was started. */
export interface ConsumerStatus {
  /** `consuming`; `waiting` for the broker; `stopped`. */
  readonly state: "consuming" | "waiting" | "stopped";
  /** Messages whose effects were committed. */
  readonly processed: number;
  /** Deliveries of messages that had been processed before. */
  readonly repeated: number;
  /** Messages that used up their tries, or were no CloudEvents. */
  readonly dead: number;
  /** Tries that failed, connections that were lost. */
  readonly failures: number;
  readonly lastError: Error | null;
}

function ignore(): void {}
