/**
 * JSON without loss. JavaScript's numbers and JSON's are not the same: PostgreSQL keeps every digit of a number in jsonb,
 * a double keeps fifteen to seventeen. What is written and read is this, here and nowhere else:
 *
 * | a payload has | is written as | is read as |
 * |---|---|---|
 * | string, boolean, null, array, plain object | itself | itself |
 * | number | the shortest decimal that stands for it; -0 as 0 | number; from 2^53 on (either side) an integer is a bigint |
 * | bigint | integer with all digits | number up to 2^53, bigint beyond |
 * | `exactNumber("0.1000000000000000000001")` | that decimal | the same; a number where a double says the same |
 * | Date | its ISO 8601 text | string |
 * | another object with `toJSON` | what that returns | as that |
 * | a property that is undefined | nothing: the property is absent | absent |
 * | NaN, Infinity, an invalid Date; undefined in an array; function, symbol; Map, Set, any class without `toJSON`; a cycle; \u0000 or half a surrogate pair in a text or key | refused, with the path to it (`InvalidEventError`); nothing is sent | |
 *
 * @module
 */

/** What a payload is when it is read. */
export type Json = string | number | bigint | boolean | null | JsonNumber | readonly Json[] | JsonObject;

/** A JSON object when it is read. */
export interface JsonObject {
  readonly [key: string]: Json;
}

/**
 * A number that a double cannot stand for, with all its digits as text: what the platform's `JSON.rawJSON` makes.
 * `JSON.stringify` writes it back as it is; it takes part in no arithmetic by mistake (that throws).
 */
export interface JsonNumber {
  readonly rawJSON: string;
}

// ES2025, in Node since 21; the compiler's library does not have them yet
interface ExactJson {
  rawJSON(text: string): JsonNumber;
  parse(text: string, revive: (key: string, value: Json, context: { readonly source?: string }) => Json): Json;
}
const exact: ExactJson = JSON as typeof JSON & ExactJson;

const decimal = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/**
 * A decimal with all its digits, for payloads: amounts that a double would round.
 *
 * @param text as JSON writes numbers: `"12345678901234567890.12"`
 * @throws SyntaxError if it is not a JSON number
 */
export function exactNumber(text: string): JsonNumber {
  if (!decimal.test(text)) throw new SyntaxError(`${JSON.stringify(text)} is not a number as JSON writes them`);
  return exact.rawJSON(text);
}

/**
 * Parses JSON without losing digits: an integer beyond ±2^53 is a bigint, a decimal that a double does not stand for is
 * a `JsonNumber`. Nearly as fast as `JSON.parse`, unless the text has a number that long.
 *
 * @throws SyntaxError if it is not JSON
 */
export function parseJson(text: string): Json {
  return mayHoldLongNumber(text) ? exact.parse(text, reviveExactly) : JSON.parse(text);
}

// of a number, not of letters and digits in a text; a UUID has such a run one time in four
const longExponent = /(?<=(?:^|[[:,\s])-?[\d.]+)[eE][+-]?\d{3}/;

/**
 * A decimal of up to 15 digits survives a double, so most texts need no second look. A run of 16 digits and points
 * covers one place of every 16; exponents matter from three digits on.
 */
function mayHoldLongNumber(text: string): boolean {
  for (let at = 15; at < text.length; at += 16) {
    if (!isDigitOrPoint(text.charCodeAt(at))) continue;
    let from = at;
    while (isDigitOrPoint(text.charCodeAt(from - 1))) from -= 1;
    while (isDigitOrPoint(text.charCodeAt(at + 1))) at += 1;
    if (at - from >= 15) return true;
  }
  return longExponent.test(text);
}

function isDigitOrPoint(code: number): boolean {
  return (code >= 48 && code <= 57) || code === 46;
}

function reviveExactly(_key: string, value: Json, { source }: { readonly source?: string }): Json {
  if (typeof value !== "number" || source === undefined) return value;
  if (/^-?\d+$/.test(source)) return Number.isSafeInteger(value) ? value : BigInt(source);
  return canonical(source) === canonical(String(value)) ? value : exact.rawJSON(source);
}

/** A decimal in a form that is the same for equal numbers: sign, digits without zeros at either end, exponent. */
function canonical(text: string): string {
  const [mantissa = "", exponent = "0"] = text.toLowerCase().split("e");
  const [whole = "", fraction = ""] = mantissa.replace("-", "").split(".");
  const all = whole + fraction;
  let from = 0;
  let to = all.length;
  while (from < to && all[from] === "0") from += 1;
  while (to > from && all[to - 1] === "0") to -= 1;
  if (from === to) return "0";
  const scale = BigInt(exponent) - BigInt(fraction.length) + BigInt(all.length - to);
  return `${mantissa.startsWith("-") ? "-" : ""}${all.slice(from, to)}e${scale}`;
}
