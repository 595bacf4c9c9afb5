import { parseTimestamp } from "./timestamp.ts";

/** A value that a slonik pool's own type parsers have made, as the type `Db` promises; as far as it can be told. */
export function fromPoolValue(oid: number, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  switch (oid) {
    case 20: // int8
      return /^-?\d+$/.test(String(value)) ? BigInt(String(value)) : value;
    case 1184: // timestamptz
      if (typeof value === "number") return new Date(value);
      return typeof value === "string" ? parseTimestamp(value) : value;
    case 1700: // numeric
      return String(value);
    default:
      return value;
  }
}
