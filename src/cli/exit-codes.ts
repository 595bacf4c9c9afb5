/** What the exit code of `daybook` says. */
export const exitCodes = {
  ok: 0,
  /** The answer is no: nothing found, not up to date, not confirmed. */
  no: 1,
  /** The command line, or the environment, cannot be understood. */
  usage: 2,
  /** No database could be reached, or the connection was lost. */
  unreachable: 3,
  /** The store refused: version conflict, bad input, missing right, not installed. */
  refused: 4,
  /** Something that should not happen. */
  internal: 70,
} as const;

export const exitCodesHelp = `Exit codes:
  0   done
  1   no: nothing found, the database is behind, not confirmed
  2   the command line or the environment cannot be understood
  3   no database could be reached, or the connection was lost
  4   the store refused: a version conflict, bad input, a missing right, Daybook is not installed
  70  an internal error`;
