import { spawnSync } from "node:child_process";
import { readdir } from "node:fs/promises";
import pg from "pg";
import t from "tap";
import { testDatabase } from "../support/database.ts";
import { codeBlocks, statements } from "./code-blocks.ts";

const docs = (await readdir(new URL("../../docs/", import.meta.url)))
  .filter((file) => file.endsWith(".md"))
  .map((file) => `docs/${file}`);

for (const file of ["README.md", ...docs]) {
  const blocks = (await codeBlocks(file, "sql")).map(statements);
  if (blocks.length === 0) continue;

  t.test(`${file}: its SQL does what it says`, async (t) => {
    const { url } = await testDatabase(t);
    const client = new pg.Client(url);
    await client.connect();
    t.teardown(() => client.end());
    for (const { sql, failsWith } of blocks.flat()) {
      const outcome = await client.query(sql).then(
        () => null,
        (error: pg.DatabaseError) => error,
      );
      t.equal(outcome?.code ?? null, failsWith, `${sql.split("\n")[0]}${outcome ? ` (${outcome.message})` : ""}`);
    }
  });

  const psql = spawnSync("psql", ["--version"]).status === 0;
  t.test(
    `${file}: the same in psql`,
    { skip: psql ? false : "psql is not here: apt-get install postgresql-client" },
    async (t) => {
      const { url } = await testDatabase(t);
      const script = blocks
        .flat()
        .map((one) => `${one.sql};`)
        .join("\n");
      const { stderr, status } = spawnSync("psql", ["--no-psqlrc", "--quiet", "--set", "VERBOSITY=sqlstate", url], {
        input: script,
        encoding: "utf8",
      });
      t.equal(status, 0);
      const errors = [...stderr.matchAll(/ERROR:\s+(\w{5})/g)].map(([, state]) => state);
      t.same(
        errors,
        blocks.flat().flatMap((one) => (one.failsWith ? [one.failsWith] : [])),
        "fails only where it says so",
      );
    },
  );
}
