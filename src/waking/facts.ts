/**
 * A technical fact: something about connections, processes and jobs, never about the domain. The library writes no logs:
 * whoever starts a worker or a subscription is handed these.
 */
export interface TechnicalFact {
  /** What happened, such as `connection-lost`, `worker-started`, `drain-failed`. */
  readonly type: string;
  /** `info` = as it should be; `warning` = passes by itself; `error` = somebody should look. */
  readonly level: "info" | "warning" | "error";
  readonly error?: unknown;
  /** Particulars, by name. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** Told of technical facts. What it throws is swallowed: it can fail or slow nobody, if it returns at once. */
export type OnEvent = (fact: TechnicalFact) => void;

/** The same, as it is called within the library. */
export function safely(onEvent: OnEvent | undefined): OnEvent {
  return (fact) => {
    try {
      onEvent?.(fact);
    } catch {
      // a listener's failure is its own
    }
  };
}
