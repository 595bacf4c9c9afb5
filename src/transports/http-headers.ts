/**
 * A text as the value of an HTTP header, as CloudEvents' HTTP binding has it: printable ASCII stands for itself, but for
 * space, double quote and percent; all else is percent-encoded UTF-8.
 */
export function encodeHeader(text: string): string {
  return text.replace(/[^!#$&-~]/gu, (character) =>
    [...new TextEncoder().encode(character)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
      .join(""),
  );
}

/** What `encodeHeader` has encoded; percent signs that encode nothing stay. */
export function decodeHeader(value: string): string {
  return value.replace(/(?:%[0-9a-f]{2})+/gi, (encoded) => {
    const bytes = Uint8Array.from(encoded.slice(1).split("%"), (hex) => Number.parseInt(hex, 16));
    return new TextDecoder().decode(bytes);
  });
}
