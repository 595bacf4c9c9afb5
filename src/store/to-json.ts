import { types } from "node:util";
import { InvalidEventError } from "../errors.ts";
import { exactNumber } from "./json.ts";

/** Something JSON cannot say, and where it stands: `.items[3].price`. */
interface Problem {
  readonly path: string;
  readonly problem: string;
}

interface Walk {
  hasBigint: boolean;
  /** The containers around the value at hand. */
  readonly around: object[];
}

/** Deeper than this is no payload; the server's own limit lies further on, and depends on its settings. */
const maxDepth = 1000;

/**
 * Writes a payload as JSON, by the rules of json.ts.
 *
 * @param index place of the event in the call, for the error
 * @param name what the value is: data or metadata
 * @throws InvalidEventError with the path to what JSON cannot say
 */
export function toJson(value: unknown, index: number, name: string): string {
  const walk: Walk = { hasBigint: false, around: [] };
  const found = problemOf(value, walk);
  if (found) return refuse(index, name, found);
  const text = walk.hasBigint ? JSON.stringify(value, writeBigint) : JSON.stringify(value);
  // only characters that are written as \u… can be ones that jsonb does not take
  const badText = text.includes("\\u") ? textProblemOf(JSON.parse(text)) : undefined;
  return badText ? refuse(index, name, badText) : text;
}

function refuse(index: number, name: string, { path, problem }: Problem): never {
  const at = `${name}${path}`;
  throw new InvalidEventError(`event ${index}: ${at} is ${problem}`, {
    detail: { index, path: at, problem: `${at} is ${problem}` },
    hint: "Payloads are what JSON can say. Write it as a text or a number, or leave the property out.",
  });
}

/** Looks at the original: an application may have given bigints a toJSON of its own. */
function writeBigint(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const original = this[key];
  return typeof original === "bigint" ? exactNumber(String(original)) : value;
}

function problemOf(value: unknown, walk: Walk): Problem | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : { path: "", problem: String(value) };
    case "bigint":
      walk.hasBigint = true;
      return undefined;
    case "object":
      return value === null ? undefined : objectProblemOf(value, walk);
    default:
      return { path: "", problem: value === undefined ? "undefined" : `a ${typeof value}` };
  }
}

function objectProblemOf(value: object, walk: Walk): Problem | undefined {
  if (walk.around.includes(value)) return { path: "", problem: "a cycle" };
  if (walk.around.length === maxDepth) return { path: "", problem: `nested deeper than ${maxDepth} levels` };
  walk.around.push(value);
  const problem = Array.isArray(value)
    ? itemProblemOf(value, walk)
    : "toJSON" in value && typeof value.toJSON === "function"
      ? replacedProblemOf(value, value.toJSON(""), walk)
      : memberProblemOf(value, walk);
  walk.around.pop();
  return problem;
}

function itemProblemOf(items: readonly unknown[], walk: Walk): Problem | undefined {
  for (let i = 0; i < items.length; i += 1) {
    const found = problemOf(items[i], walk);
    if (found) return { path: `[${i}]${found.path}`, problem: found.problem };
  }
  return undefined;
}

function replacedProblemOf(value: object, replacement: unknown, walk: Walk): Problem | undefined {
  // an invalid Date would become null
  if (types.isDate(value) && Number.isNaN(value.getTime())) return { path: "", problem: "an invalid Date" };
  return replacement === value ? memberProblemOf(value, walk) : problemOf(replacement, walk);
}

function memberProblemOf(value: object, walk: Walk): Problem | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  // an object of another realm has another Object.prototype, itself without prototype
  if (prototype !== null && prototype !== Object.prototype && Object.getPrototypeOf(prototype) !== null) {
    return { path: "", problem: `an instance of ${value.constructor?.name || "a class"}, which has no toJSON` };
  }
  if (Object.getOwnPropertySymbols(value).length > 0) return { path: "", problem: "an object with symbols for keys" };
  for (const [key, member] of Object.entries(value)) {
    const found = member === undefined ? undefined : problemOf(member, walk);
    if (found) return { path: segment(key) + found.path, problem: found.problem };
  }
  return undefined;
}

function textProblemOf(value: unknown): Problem | undefined {
  if (typeof value === "string") {
    if (value.includes("\0")) return { path: "", problem: "a text with \\u0000, which PostgreSQL cannot keep" };
    return value.isWellFormed() ? undefined : { path: "", problem: "a text with half a surrogate pair" };
  }
  if (typeof value !== "object" || value === null) return undefined;
  const isArray = Array.isArray(value);
  const members: readonly [string, unknown][] = Object.entries(value);
  for (const [key, member] of members) {
    const found = textProblemOf(member);
    if (found) return { path: (isArray ? `[${key}]` : segment(key)) + found.path, problem: found.problem };
    const badKey = textProblemOf(key);
    if (badKey) return { path: segment(key), problem: badKey.problem.replace("a text", "a key") };
  }
  return undefined;
}

function segment(key: string): string {
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}
