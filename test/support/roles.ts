import { randomBytes } from "node:crypto";
import pg from "pg";
import type { TestDatabase } from "./database.ts";

/** What a login may do. */
export interface Grants {
  /** Daybook's roles, such as `daybook_reader`. */
  readonly roles: readonly string[];
  /** The tenants granted to it; `*` for all. */
  readonly tenants?: readonly string[];
}

/** Makes a login role for a test database and returns the URL to connect as it. It goes with the database. */
export async function roleLogin(database: TestDatabase, { roles, tenants = [] }: Grants): Promise<string> {
  const name = `${database.name}_${randomBytes(3).toString("hex")}`;
  const role = pg.escapeIdentifier(name);
  const password = randomBytes(12).toString("hex");
  database.logins.push(name);
  await database.pool.query(`create role ${role} login password ${pg.escapeLiteral(password)}`);
  for (const granted of roles) await database.pool.query(`grant ${pg.escapeIdentifier(granted)} to ${role}`);
  for (const tenant of tenants) await database.pool.query("select daybook.grant_tenant($1, $2)", [name, tenant]);
  const url = new URL(database.url);
  url.username = name;
  url.password = password;
  return url.href;
}
