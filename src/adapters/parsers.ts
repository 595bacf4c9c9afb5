import pg from "pg";
import { parseJson } from "../store/json.ts";
import { parseArray } from "./literals.ts";
import { parseTimestamp } from "./timestamp.ts";

/** Makes a value of the text PostgreSQL writes for it. */
export type Parser = (text: string) => unknown;

/** Types that become something other than a string: type, type of its arrays, parser. */
const table: readonly (readonly [oid: number, arrayOid: number, parse: Parser])[] = [
  [16, 1000, (text) => text === "t"], // bool
  [17, 1001, pg.types.getTypeParser(17)], // bytea
  [20, 1016, BigInt], // int8
  [21, 1005, Number], // int2
  [23, 1007, Number], // int4
  [26, 1028, Number], // oid
  [700, 1021, Number], // float4
  [701, 1022, Number], // float8
  [114, 199, parseJson], // json
  [3802, 3807, parseJson], // jsonb
  [1184, 1185, parseTimestamp], // timestamptz
];

const same: Parser = (text) => text;

/** Types whose values are strings although drivers have ideas of their own about them, and the types of their arrays. */
const strings: readonly (readonly [oid: number, arrayOid: number])[] = [
  [18, 1002], // "char"
  [19, 1003], // name
  [25, 1009], // text
  [600, 1017], // point
  [718, 719], // circle
  [1042, 1014], // bpchar
  [1043, 1015], // varchar
  [1082, 1182], // date
  [1083, 1183], // time
  [1114, 1115], // timestamp
  [1186, 1187], // interval
  [1266, 1270], // timetz
  [1700, 1231], // numeric
  [2206, 2211], // regtype
  [2950, 2951], // uuid
];

const parsers = new Map<number, Parser>();
for (const [oid, arrayOid, parse] of table) {
  parsers.set(oid, parse);
  parsers.set(arrayOid, (text) => parseArray(text, parse));
}
for (const [oid, arrayOid] of strings) {
  parsers.set(oid, same);
  parsers.set(arrayOid, (text) => parseArray(text, same));
}

/** The parser of a type by its oid; types that are not known stay strings. */
export function parserOf(oid: number): Parser {
  return parsers.get(oid) ?? same;
}

/** All parsers by oid, for drivers that take a list. */
export const parsersByOid: Readonly<Record<number, Parser>> = Object.fromEntries(parsers);
