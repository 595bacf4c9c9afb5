import { exactNumber } from "../store/json.ts";

/** A value as one line of JSON; bigints as integers with all their digits. */
export function toJsonLine(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === "bigint" ? exactNumber(String(member)) : member,
  );
}
