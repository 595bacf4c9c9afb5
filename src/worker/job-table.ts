import { z } from "zod";
import type { Db } from "../db.ts";
import type { DueShard } from "./consumers.ts";

/** A job that is wanted. */
export interface JobRequest {
  readonly task: string;
  /** One job a key; one that runs already is followed by another. */
  readonly key: string;
  readonly due: DueShard;
}

/** A job of graphile-worker that is there. */
export interface JobState {
  /** Id of the worker that has it in hand. */
  readonly lockedBy: string | null;
  /** Whether its time has come. */
  readonly isDue: boolean;
}

const rows = z.array(z.object({ key: z.string(), locked_by: z.string().nullable(), is_due: z.boolean() }));

/** The jobs there are of these keys. */
export async function readJobs(db: Db, schema: string, keys: readonly string[]): Promise<Map<string, JobState>> {
  const found = rows.parse(
    await db.query(
      `select j.key, j.locked_by, j.run_at <= now() and j.attempts < j.max_attempts as is_due
         from ${schema}.jobs j where j.key = any ($1::text[])`,
      [keys],
      { name: `daybook_jobs_${schema}` },
    ),
  );
  return new Map(found.map((row) => [row.key, { lockedBy: row.locked_by, isDue: row.is_due }]));
}

/** Makes jobs, in one statement. */
export async function addJobs(db: Db, schema: string, requests: readonly JobRequest[]): Promise<void> {
  const specs = requests.map(({ task, key, due }) => ({ identifier: task, payload: due, job_key: key }));
  await db.query(
    `select count(*) from ${schema}.add_jobs(array(
       select (s.identifier, s.payload, null, null, null, s.job_key, null, null)::${schema}.job_spec
         from json_to_recordset($1::json) s (identifier text, payload json, job_key text)))`,
    [JSON.stringify(specs)],
    { name: `daybook_add_jobs_${schema}` },
  );
}
