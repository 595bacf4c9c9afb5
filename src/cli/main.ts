import { readFile } from "node:fs/promises";
import { z } from "zod";
import { run } from "./program.ts";

const manifest = z.object({ version: z.string() });
const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
const { version } = manifest.parse(JSON.parse(text));

process.exitCode = await run(process.argv.slice(2), version);
