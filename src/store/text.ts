/** Texts the database takes as they are: a lone surrogate would be replaced on the way, \u0000 refused by PostgreSQL. */
export function isText(text: string): boolean {
  return !text.includes("\0") && text.isWellFormed();
}

/** A text of 1 to 255 characters (as PostgreSQL counts them: a surrogate pair is one). */
export function isShortText(text: string): boolean {
  return text.length > 0 && (text.length <= 255 || isShortWithPairs(text)) && isText(text);
}

function isShortWithPairs(text: string): boolean {
  return text.length <= 510 && [...text].length <= 255;
}

/** A name of a stream or of a tenant: a short text without control characters. */
export function isName(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return isShortText(text) && !/[\u0000-\u001f\u007f]/.test(text);
}
