import { exactNumber, type Json } from "../store/json.ts";

/** Writes what was read from the database as JSON again, every digit kept. */
export function writeJson(value: Json | Readonly<Record<string, Json | undefined>>): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // only then is it worth a function call per member
    if (!(error instanceof TypeError)) throw error;
    return JSON.stringify(value, (_, member: unknown) =>
      typeof member === "bigint" ? exactNumber(String(member)) : member,
    );
  }
}
