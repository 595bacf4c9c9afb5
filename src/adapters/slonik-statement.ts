/**
 * A statement that gives each of its rows as one text, written by the same functions that write a plain result, of a
 * type that no pool has a parser for. Beside it, for their names and types, stand the columns, all null: the join never
 * finds anything. Undefined for statements that cannot be made part of another one.
 */
export function rowsAsText(text: string): string | undefined {
  const bare = text.replaceAll(literalsAndComments, " ");
  const [command = ""] = /\w+/.exec(bare.toLowerCase()) ?? [];
  const statement = text.replace(/[;\s]+$/, "");
  const isWriting = /\b(insert|update|delete|merge)\b/i.test(bare);
  if (["select", "values", "table"].includes(command) || (command === "with" && !isWriting)) {
    return `${rows} from (${statement}\n) daybook_row ${columns}`;
  }
  if (["insert", "update", "delete", "merge"].includes(command) && /\breturning\b/i.test(bare)) {
    return `with daybook_row as (${statement}\n) ${rows} from daybook_row ${columns}`;
  }
  return undefined;
}

const rows = "select daybook_row::text::refcursor as daybook_row, daybook_columns.*";
const columns = "left join lateral (select daybook_row.*) daybook_columns on false";

/** What may hold any word without meaning it. */
const literalsAndComments =
  /\be'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[\s\S]*?\$\1\$|--.*|\/\*[\s\S]*?\*\//gi;
