import type { Db } from "../db.ts";

/** Runs statements in a transaction, several of them in one text, as no driver takes them with parameters. */
export async function runScript(tx: Db, script: string): Promise<void> {
  await tx.query("select set_config('daybook.script', $1, true)", [script]);
  await tx.query("do $$ begin execute current_setting('daybook.script'); end $$");
}
