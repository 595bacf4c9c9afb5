/**
 * The elements of an array as PostgreSQL writes it, `{1,NULL,"a \"b\""}`, each through `parse`; arrays of more than one
 * dimension give arrays of arrays.
 */
export function parseArray<T>(text: string, parse: (element: string) => T): unknown[] {
  // bounds other than from 1 are written in front: [0:1]={a,b}
  const start = text.indexOf("{");
  return readArray({ text, at: start < 0 ? text.length : start }, parse);
}

/** The fields of a row as PostgreSQL writes it, `(1,,"a ""b""")`: an empty field without quotes is null. */
export function parseRecord(text: string): (string | null)[] {
  const cursor: Cursor = { text, at: 1 };
  const fields: (string | null)[] = [];
  if (text === "()") return fields;
  while (cursor.at < text.length) {
    fields.push(text[cursor.at] === "," || text[cursor.at] === ")" ? null : readItem(cursor, ",)"));
    cursor.at += 1;
  }
  return fields;
}

interface Cursor {
  readonly text: string;
  at: number;
}

function readArray<T>(cursor: Cursor, parse: (element: string) => T): unknown[] {
  const { text } = cursor;
  const elements: unknown[] = [];
  cursor.at += 1;
  while (cursor.at < text.length && text[cursor.at] !== "}") {
    if (text[cursor.at] === "{") {
      elements.push(readArray(cursor, parse));
    } else {
      const isQuoted = text[cursor.at] === '"';
      const item = readItem(cursor, ",}");
      elements.push(!isQuoted && item === "NULL" ? null : parse(item));
    }
    if (text[cursor.at] === ",") cursor.at += 1;
  }
  cursor.at += 1;
  return elements;
}

/** An item up to one of `ends`; in quotes, a backslash or a doubled quote escapes. */
function readItem(cursor: Cursor, ends: string): string {
  const { text } = cursor;
  let item = "";
  let isQuoted = false;
  let from = cursor.at;
  for (; cursor.at < text.length; cursor.at += 1) {
    const character = text[cursor.at] ?? "";
    if (character === "\\") {
      item += text.slice(from, cursor.at);
      cursor.at += 1;
      from = cursor.at;
    } else if (character === '"') {
      item += text.slice(from, cursor.at);
      from = cursor.at + 1;
      if (isQuoted && text[from] === '"') {
        from = cursor.at + 1;
        cursor.at += 1;
      } else {
        isQuoted = !isQuoted;
      }
    } else if (!isQuoted && ends.includes(character)) {
      break;
    }
  }
  return item + text.slice(from, cursor.at);
}
