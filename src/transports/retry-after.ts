/**
 * What a Retry-After header asks for, in milliseconds: a number of seconds, or a date. Undefined if there is none, or it is
 * neither.
 *
 * @param now the time a date is compared with
 */
export function parseRetryAfter(header: string | null, now: Date = new Date()): number | undefined {
  const text = header?.trim() ?? "";
  if (/^\d{1,15}$/.test(text)) return Number(text) * 1000;
  // of the three forms of HTTP dates only this one is sent today; Date.parse alone would take "1.5" for a date
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now.getTime());
}
