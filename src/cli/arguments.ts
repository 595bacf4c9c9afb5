import { InvalidArgumentError } from "@commander-js/extra-typings";

/*
 * What stands on the command line, parsed. Each throws InvalidArgumentError, which commander tells of together with the
 * name of the option.
 */

const maxBigint = 9_223_372_036_854_775_807n;

/** A whole number from 0. */
export function toBigint(text: string): bigint {
  if (!/^\d{1,19}$/.test(text) || BigInt(text) > maxBigint) throw new InvalidArgumentError("It is a whole number.");
  return BigInt(text);
}

/** A whole number from 1 that an integer of PostgreSQL holds. */
export function toCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > 2_147_483_647) {
    throw new InvalidArgumentError("It is a whole number from 1.");
  }
  return count;
}

/** The URL of a database. */
export function toDatabaseUrl(text: string): string {
  if (!/^postgres(ql)?:\/\//.test(text)) {
    throw new InvalidArgumentError("It begins with postgres:// or postgresql://.");
  }
  return text;
}

/** Names with commas between them, or the option given several times. */
export function toNames(text: string, before: string[] | undefined): string[] {
  const names = text.split(",").map((name) => name.trim());
  if (names.includes("")) throw new InvalidArgumentError("It is names with commas between them.");
  return [...(before ?? []), ...names];
}

/** An option that can be given several times. */
export function toList(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), text];
}

/** A text that is JSON, as it is: numbers keep their digits. */
export function toJsonText(text: string): string {
  try {
    JSON.parse(text);
    return text;
  } catch (error) {
    throw new InvalidArgumentError(`It is not JSON: ${error instanceof Error ? error.message : error}`);
  }
}

export function toUuid(text: string): string {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) throw new InvalidArgumentError("It is a UUID.");
  return text;
}

/** A version as append_event takes it: 0 must not exist, -1 must exist. Null, which stands for any there, is no value here. */
export function toExpectedVersion(text: string): bigint | "any" {
  switch (text) {
    case "any":
      return "any";
    case "none":
      return 0n;
    case "exists":
      return -1n;
    default:
      if (/^(0|[1-9]\d{0,18})$/.test(text) && BigInt(text) <= maxBigint) return BigInt(text);
      throw new InvalidArgumentError("It is any, none, exists, or a version.");
  }
}

const moment = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?)?$/;
const units = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** A moment, as PostgreSQL reads it: ISO 8601, in UTC unless it says otherwise, or so long ago (`90s`, `15m`, `2h`, `7d`). */
export function toMoment(text: string): string {
  const [, amount, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  if (amount !== undefined && unit !== undefined) {
    const seconds = Number(amount) * units[unit as keyof typeof units];
    return new Date(Date.now() - seconds * 1000).toISOString();
  }
  const [, date, time = "00:00", offset = "Z"] = moment.exec(text) ?? [];
  if (date === undefined || Number.isNaN(Date.parse(`${date}T${time}${offset}`))) {
    throw new InvalidArgumentError("It is a moment such as 2026-11-21T09:30:00Z, or so long ago: 90s, 15m, 2h, 7d.");
  }
  return `${date}T${time}${offset}`;
}
