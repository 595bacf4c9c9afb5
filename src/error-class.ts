import type { z } from "zod";

/** What is known of an error besides its message. */
export interface ErrorFacts<D> {
  readonly detail: D;
  /** What to do about it. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/**
 * Something Daybook refused. `code` (the SQLSTATE, class YD) says what, `detail` (the server's DETAIL, parsed) has the
 * particulars, `hint` says what to do. Match on the class or on `code`, never on the message.
 */
export class DaybookError<D = Readonly<Record<string, unknown>>> extends Error {
  override readonly name: string = "DaybookError";
  readonly code: string;
  readonly detail: D;
  readonly hint: string | undefined;
  /** True if the same work can succeed when it is done again from its start: read, decide, append. */
  readonly retriable: boolean;

  constructor(code: string, message: string, facts: ErrorFacts<D>) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.detail = facts.detail;
    this.hint = facts.hint;
    this.retriable = code === "YD001";
  }
}

/** A class of errors: its SQLSTATE, its name, and the schema of its DETAIL. */
export function errorClass<const S extends z.ZodType>(code: string, name: string, detail: S) {
  return class extends DaybookError<z.output<S>> {
    /** The SQLSTATE of this class. */
    static readonly code = code;
    /** What its DETAIL is. */
    static readonly detail = detail;
    override readonly name = name;
    constructor(message: string, facts: ErrorFacts<z.output<S>>) {
      super(code, message, facts);
    }
  };
}
