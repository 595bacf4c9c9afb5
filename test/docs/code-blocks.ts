import { readFile } from "node:fs/promises";

const root = new URL("../../", import.meta.url);

/** The fenced blocks of one language in a Markdown file, in order. */
export async function codeBlocks(file: string, language: string): Promise<string[]> {
  const text = await readFile(new URL(file, root), "utf8");
  return [...text.matchAll(/^```(\w+)\n(.*?)^```/gms)].flatMap(([, kind, code]) =>
    kind === language && code ? [code] : [],
  );
}

/** Stands for one within a body. */
const semicolon = "\u0000";

/** One statement of an SQL block, and the SQLSTATE that the comment behind it says it fails with. */
export interface Statement {
  readonly sql: string;
  readonly failsWith: string | null;
}

/** Splits an SQL block: a statement ends with a semicolon at the end of a line, or before a comment there, but for bodies of functions. */
export function statements(block: string): Statement[] {
  const found: Statement[] = [];
  const masked = block.replaceAll(/\$\$.*?\$\$/gs, (body) => body.replaceAll(";", semicolon));
  for (const piece of masked.split(/;[ \t]*(?:--[^\n]*)?(?:\n|$)/)) {
    const part = piece.replaceAll(semicolon, ";");
    const state = /^(?:--[^\n]*\n)*?-- ERROR:[^\n]*\(SQLSTATE (\w{5})\)/m.exec(part)?.[1];
    const last = found.at(-1);
    if (state && last) found[found.length - 1] = { ...last, failsWith: state };
    const sql = part.replace(/^\s*--[^\n]*$/gm, "").trim();
    if (sql) found.push({ sql, failsWith: null });
  }
  return found;
}

/** What the comments behind the console.log calls of a TypeScript block say is printed, in order. */
export function promisedOutput(block: string): string[] {
  return [...block.matchAll(/console\.log\(.*\);? \/\/ ([^:\n]+)/g)].map(([, text]) => (text ?? "").trim());
}
