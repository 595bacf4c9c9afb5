import { migrate } from "../../../src/migrate/index.ts";
import { mutationSql } from "../../mutations/mutations.ts";
import { withClient } from "../../support/admin.ts";

/** Installs the store in an empty database of the test's own server; broken, if `DAYBOOK_MUTATION` says so. */
export async function install(url: string): Promise<void> {
  await migrate(url);
  const mutation = process.env.DAYBOOK_MUTATION;
  if (mutation) await withClient(url, (client) => client.query(mutationSql(mutation)));
}
