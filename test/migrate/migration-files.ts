import { readdirSync } from "node:fs";

/** Names of the migrations, in their order. */
export const migrationFiles: readonly string[] = readdirSync(new URL("../../migrations", import.meta.url)).sort(
  (one, other) => Number.parseInt(one, 10) - Number.parseInt(other, 10),
);
