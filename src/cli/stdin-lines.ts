import { createInterface } from "node:readline";
import { type JsonObject, parseJson } from "../store/json.ts";
import { messageOf } from "./failure.ts";

/** A line of stdin that is not empty. */
export interface Line {
  /** Its number, from 1. */
  readonly number: number;
  readonly text: string;
}

/** The lines of stdin as they come. */
export async function* stdinLines(): AsyncGenerator<Line> {
  let number = 0;
  for await (const text of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    if (text.trim() !== "") yield { number, text };
  }
}

/**
 * The JSON object in a line.
 *
 * @throws SyntaxError where it is none
 */
export function toObject({ text }: Line): JsonObject {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw new SyntaxError(`it is not JSON: ${messageOf(error)}`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new SyntaxError("it is not a JSON object");
}
