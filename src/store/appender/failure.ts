/**
 * What an error says about what was sent: `refused` = the server refused this, nothing of it was written; `down` = so it
 * would everything else now (no connection, no rights, no room), nothing was written; `locked` = a lock was not to be
 * had in time, nothing was written; `unknown` = the connection was lost with the answer.
 */
export type Failure = "refused" | "down" | "locked" | "unknown";

/** Judges an error by the codes of the server and of Node, wherever in its causes they stand. */
export function failureOf(error: unknown): Failure {
  for (let at = error; typeof at === "object" && at !== null; at = "cause" in at ? at.cause : undefined) {
    const code = "code" in at && typeof at.code === "string" ? at.code : "";
    if (isSqlState(code) || ("severity" in at && code !== "")) return judgeSqlState(code);
    const wasConnecting = "syscall" in at && (at.syscall === "connect" || at.syscall === "getaddrinfo");
    if (wasConnecting || code === "ECONNREFUSED" || code === "ENOTFOUND") return "down";
  }
  return "unknown";
}

function isSqlState(code: string): boolean {
  // a digit tells it from EPIPE
  return /^(?=.*\d)[0-9A-Z]{5}$/.test(code);
}

function judgeSqlState(code: string): Failure {
  if (code === "55P03") return "locked";
  // a shutdown can hit between the commit and its answer
  if (/^(08(?!001|004)...|40003|57P0[1245])$/.test(code)) return "unknown";
  // cannot connect; not authorised; no such database or schema; out of resources; operator; system; internal; read-only
  if (/^(08|28|3D|3F|42|53|57P|58|F0|XX)/.test(code) || code === "25006" || code === "YD902") return "down";
  return "refused";
}
