/** What a driver is handed: text, bytes or null. The types of parameters are the server's to know. */
export type Parameter = string | Buffer | null;

/** Parameters as text, the same for every driver. */
export function toParameters(values: readonly unknown[]): Parameter[] {
  return values.map(toParameter);
}

/** One parameter as text. */
export function toParameter(value: unknown): Parameter {
  if (value === null || value === undefined) return null;
  switch (typeof value) {
    case "string":
      return value;
    case "number":
    case "bigint":
    case "boolean":
      return String(value);
    case "object":
      return fromObject(value);
    default:
      throw new TypeError(`a ${typeof value} cannot be a parameter of a statement`);
  }
}

function fromObject(value: object): Parameter {
  if (value instanceof Date) return value.toISOString();
  if (Buffer.isBuffer(value)) return value;
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return Array.isArray(value) ? arrayLiteral(value) : JSON.stringify(value);
}

function arrayLiteral(values: readonly unknown[]): string {
  return `{${values.map(element).join(",")}}`;
}

function element(value: unknown): string {
  if (Array.isArray(value)) return arrayLiteral(value);
  const text = toParameter(value);
  if (text === null) return "NULL";
  return quoted(typeof text === "string" ? text : `\\x${text.toString("hex")}`);
}

function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
