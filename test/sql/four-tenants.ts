import type pg from "pg";
import type { Test } from "tap";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { column, connect } from "./support.ts";

/** Tenants that each have a stream of the same name, with the same idempotency key, and one of their own. */
export const tenants = ["default", "one", "two", "three"];

/** Relations and reads that show tenants. */
export const readable = [
  "daybook.events",
  "daybook.streams",
  "daybook.event_log",
  "daybook.stream_heads",
  "daybook.read_all(tenant_id => '*')",
];

/** A database with four tenants. */
export async function fourTenants(t: Test): Promise<{
  readonly database: TestDatabase;
  readonly owner: pg.Client;
  login(roles: string[], granted: string[]): Promise<pg.Client>;
}> {
  const database = await testDatabase(t);
  const owner = await connect(t, database.url);
  for (const tenant of tenants) {
    await owner.query(
      `select daybook.append('shared-1', '[{"type": "T"}, {"type": "T"}]', idempotency_key => 'k', tenant_id => $1)`,
      [tenant],
    );
    await owner.query(
      "select daybook.append_event('of ' || $1 || '-1', 'T', correlation_id => '0198f0a0-0000-7000-8000-00000000000a', tenant_id => $1)",
      [tenant],
    );
  }
  return {
    database,
    owner,
    login: async (roles, granted) => connect(t, await roleLogin(database, { roles, tenants: granted })),
  };
}

/** Which tenants a session sees in a relation. */
export function seen(client: pg.Client, relation: string): Promise<unknown[]> {
  return column(client, `select distinct tenant_id from ${relation} order by 1`);
}
