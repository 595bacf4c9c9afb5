/* Migrates the database whose URL is given and prints the report and what was logged: one of ten processes of a test. */
import { migrate } from "../../src/index.ts";

const lines: string[] = [];
const report = await migrate(process.argv[2] ?? "", { log: (line) => lines.push(line) });
console.log(JSON.stringify({ ...report, lines }));
