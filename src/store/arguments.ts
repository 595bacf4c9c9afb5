import { InvalidArgumentError, InvalidTenantError } from "../errors.ts";
import { isText } from "./text.ts";

/** A position or a version: a whole number, not negative. */
export function toOrdinal(value: bigint | number, argument: string): bigint {
  const isWhole = typeof value === "bigint" || Number.isSafeInteger(value);
  if (!isWhole || value < 0 || value > 9223372036854775807n) {
    return refuse(argument, value, "is a whole number from 0, a bigint beyond 2^53");
  }
  return BigInt(value);
}

/** How many events to give at most. */
export function toCount(value: number, argument: string): number {
  if (!Number.isInteger(value) || value < 1 || value > 100_000) return refuse(argument, value, "is 1 to 100000");
  return value;
}

/** A UUID. */
export function toUuid(value: string, argument: string): string {
  const isUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(value);
  return isUuid ? value : refuse(argument, value, "is a UUID");
}

/** A text that can be sent. */
export function toText(value: string, argument: string): string {
  if (typeof value === "string" && isText(value)) return value;
  return refuse(argument, value, "is a text without \\u0000 and half surrogate pairs");
}

/** A valid moment, if any. */
export function toMoment(value: Date | undefined, argument: string): Date | undefined {
  if (value === undefined || (value instanceof Date && !Number.isNaN(value.getTime()))) return value;
  return refuse(argument, value, "is a valid Date");
}

/** A tenant's name that can be sent, if any; the database says which there can be. */
export function toTenant(value: string | undefined): string | undefined {
  if (value === undefined || (typeof value === "string" && isText(value))) return value;
  throw new InvalidTenantError("a tenant is named by a text without \\u0000 and half surrogate pairs", {
    detail: { tenant_id: value },
    hint: "Pass the name of one tenant, or leave tenantId out.",
  });
}

function refuse(argument: string, value: unknown, rule: string): never {
  throw new InvalidArgumentError(`${argument} ${rule}`, {
    detail: { argument, value },
    hint: `Given was ${String(value)}.`,
  });
}
