import type { Cli } from "./cli.ts";
import { toJsonLine } from "./json.ts";
import { say } from "./output.ts";
import { cut } from "./table.ts";
import { printable } from "./text.ts";

/** Shows how far a rebuild is. */
export interface Progress {
  /** @param share from 0 to 1 */
  show(share: number, waitsFor: string | null): void;
  /** Clears the bar. */
  end(): void;
}

/** Milliseconds: an estimate looks back so far; a line of its own, where nobody looks, comes so often. */
const span = 15_000;
const lines = 5000;
const width = 24;

/** On a terminal a bar, elsewhere a line every five seconds; NDJSON on stdout with --json. */
export function createProgress(cli: Cli, name: string, version: number): Progress {
  const seen: { readonly at: number; readonly share: number }[] = [];
  const { stderr } = process;
  let told = 0;
  let isShown = false;

  function secondsLeft(share: number): number | null {
    const [first] = seen;
    const now = performance.now();
    if (first === undefined || share <= first.share || now - first.at < 500) return null;
    return ((1 - share) / (share - first.share)) * ((now - first.at) / 1000);
  }

  return {
    show(share, waitsFor) {
      const now = performance.now();
      const left = secondsLeft(share);
      seen.push({ at: now, share });
      while (seen.length > 2 && now - (seen[0]?.at ?? now) > span) seen.shift();
      if (cli.json) {
        if (now - told < 1000 && told > 0) return;
        told = now;
        const rounded = left === null ? null : Math.round(left * 10) / 10;
        cli.out
          .line(
            toJsonLine({
              projection: name,
              version,
              state: "building",
              progress: share,
              seconds_left: rounded,
              waits_for: waitsFor,
            }),
          )
          .catch(() => undefined);
        return;
      }
      const text = describe(share, left, waitsFor);
      if (stderr.isTTY) {
        isShown = true;
        stderr.write(`\r\u001b[2K${cut(`${bar(share)} ${printable(text)}`, (stderr.columns || 80) - 1)}`);
      } else if (told === 0 || now - told >= lines) {
        told = now;
        say(`version ${version} of ${name}: ${text}`);
      }
    },
    end() {
      if (isShown) stderr.write("\r\u001b[2K");
      isShown = false;
    },
  };
}

function bar(share: number): string {
  const full = Math.floor(share * width);
  return `[${"#".repeat(full)}${".".repeat(width - full)}]`;
}

function describe(share: number, left: number | null, waitsFor: string | null): string {
  const parts = [`${Math.floor(share * 100)} %`];
  if (left !== null && share < 1) parts.push(`about ${duration(left)} left`);
  if (waitsFor !== null) parts.push(waitsFor);
  return parts.join(", ");
}

/** `8 s`, `3 min`, `2 h 5 min`. */
function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 90) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
