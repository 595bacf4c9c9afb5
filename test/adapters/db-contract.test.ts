import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import { createPool, type DatabasePool, type DatabaseTransactionConnection, type Interceptor, sql } from "slonik";
import t, { type Test } from "tap";
import { z } from "zod";
import { migrate } from "../../src/index.ts";
import { type DbSubject, dbContract } from "../support/contracts/db-contract.ts";
import { testDatabase } from "../support/database.ts";
import { keepOpen } from "./keep-open.ts";

/** pg's own way of a transaction; of a savepoint, where the client is in one. */
async function pgTransaction<T>(client: pg.ClientBase, nested: boolean, work: (tx: pg.ClientBase) => Promise<T>) {
  await client.query(nested ? "savepoint mine" : "begin");
  try {
    const result = await work(client);
    await client.query(nested ? "release savepoint mine" : "commit");
    return result;
  } catch (error) {
    await client.query(nested ? "rollback to savepoint mine" : "rollback");
    throw error;
  }
}

const insertRow: DbSubject["insertRow"] = async (tx, id) => {
  if (!(tx instanceof pg.Client)) throw new Error("not a client of pg");
  await tx.query("insert into public.contract_rows values ($1)", [id]);
};

dbContract(t, "a pool of pg", async (t) => {
  const { pool } = await testDatabase(t);
  return {
    db: pool,
    inTransaction: false,
    insertRow,
    async driverTransaction(work) {
      const client = await pool.connect();
      try {
        return await pgTransaction(client, false, work);
      } finally {
        client.release();
      }
    },
  };
});

async function connected(t: Test): Promise<pg.Client> {
  const { url } = await testDatabase(t);
  const client = new pg.Client(url);
  await client.connect();
  t.teardown(() => client.end());
  return client;
}

dbContract(t, "a client of pg", async (t) => {
  const client = await connected(t);
  return {
    db: client,
    inTransaction: false,
    insertRow,
    driverTransaction: (work) => pgTransaction(client, false, work),
  };
});

dbContract(t, "a client of pg that is in a transaction", async (t) => {
  const client = await connected(t);
  await client.query("begin");
  return { db: client, inTransaction: true, insertRow, driverTransaction: (work) => pgTransaction(client, true, work) };
});

dbContract(t, "a client of a pg that cannot tell whether it is in a transaction", async (t) => {
  const client = await connected(t);
  Object.defineProperty(client, "getTransactionStatus", { value: undefined });
  return {
    db: client,
    inTransaction: false,
    insertRow,
    driverTransaction: (work) => pgTransaction(client, false, work),
  };
});

function slonikSubject(db: DatabasePool | DatabaseTransactionConnection, inTransaction: boolean): DbSubject {
  return {
    db,
    inTransaction,
    driverTransaction: (work) => db.transaction(work),
    async insertRow(tx, id) {
      if (!("anyFirst" in tx)) throw new Error("not of slonik");
      await tx.query(sql.type(z.strictObject({}))`insert into public.contract_rows values (${id})`);
    },
  };
}

dbContract(t, "a pool of slonik", async (t) => {
  const pool = await createPool((await testDatabase(t)).url);
  t.teardown(() => pool.end());
  return slonikSubject(pool, false);
});

dbContract(t, "a transaction of slonik", async (t) => {
  const pool = await createPool((await testDatabase(t)).url);
  t.teardown(() => pool.end());
  const tx = await keepOpen<DatabaseTransactionConnection>(t, (work) => pool.transaction(work));
  return slonikSubject(tx, true);
});

dbContract(t, "a pool of slonik with type parsers and interceptors of its own", async (t) => {
  const interceptors: Interceptor[] = [
    {
      name: "field names in camel case",
      transformRow: (_context, _query, row) =>
        Object.fromEntries(
          Object.entries(row).map(([name, value]) => [name.replace(/_(.)/g, (_, c) => c.toUpperCase()), value]),
        ),
    },
    {
      name: "rows are checked",
      transformRowAsync: async ({ resultParser }, _query, row) => {
        const result = await resultParser?.["~standard"].validate(row);
        if (result?.issues) throw new Error("a row that its schema does not know");
        return row;
      },
    },
  ];
  const typeParsers = ["int8", "timestamptz", "jsonb", "bool", "text"].map((name) => ({
    name,
    parse: (text: string) => `${name} ${text}`,
  }));
  const pool = await createPool((await testDatabase(t)).url, { interceptors, typeParsers });
  t.teardown(() => pool.end());
  return slonikSubject(pool, false);
});

async function memory(t: Test): Promise<PGlite> {
  const pglite = new PGlite();
  t.teardown(() => pglite.close());
  await migrate(pglite);
  return pglite;
}

const insertWithPglite: DbSubject["insertRow"] = async (tx, id) => {
  if (!("exec" in tx)) throw new Error("not of PGlite");
  await tx.exec(`insert into public.contract_rows values ('${id}')`);
};

dbContract(t, "a PGlite", async (t) => {
  const pglite = await memory(t);
  return {
    db: pglite,
    inTransaction: false,
    insertRow: insertWithPglite,
    driverTransaction: (work) => pglite.transaction((tx) => work(tx)),
  };
});

dbContract(t, "a transaction of PGlite", async (t) => {
  const pglite = await memory(t);
  const tx = await keepOpen<Parameters<Parameters<typeof pglite.transaction>[0]>[0]>(t, (work) =>
    pglite.transaction(work),
  );
  return {
    db: tx,
    inTransaction: true,
    insertRow: insertWithPglite,
    async driverTransaction(work) {
      await tx.exec("savepoint mine");
      try {
        const result = await work(tx);
        await tx.exec("release savepoint mine");
        return result;
      } catch (error) {
        await tx.exec("rollback to savepoint mine");
        throw error;
      }
    },
  };
});
