/** A new UUIDv7: its first 48 bits are the clock in milliseconds, so ids made later sort later. */
export function uuidV7(): string {
  const time = Date.now().toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${crypto.randomUUID().slice(15)}`;
}
