import { once } from "node:events";
import type { WriteStream } from "node:tty";
import { styleText } from "node:util";
import { exitCodes } from "./exit-codes.ts";
import { printable } from "./text.ts";

/** Where results go. */
export interface Output {
  /** A person reads along: tables, cut to fit. */
  readonly isTerminal: boolean;
  /** Columns of the terminal. */
  readonly width: number;
  /** Writes text; waits while the reader is slower. */
  write(text: string): Promise<void>;
  /** Writes a line. */
  line(text: string): Promise<void>;
  bold(text: string): string;
}

/** The output to a stream of this process. Where its reader goes away (`| head`), the process ends, and all is well. */
export function outputTo(stream: WriteStream): Output {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit();
    sayError(`the output could not be written: ${error.message}`);
    process.exit(exitCodes.internal);
  });
  const write = async (text: string) => {
    if (text !== "" && !stream.write(text)) await once(stream, "drain");
  };
  return {
    isTerminal: stream.isTTY === true,
    get width() {
      return stream.columns || 80;
    },
    write,
    line: (text) => write(`${text}\n`),
    bold: (text) => styleText("bold", text, { stream }),
  };
}

/** Says something to the person, beside the results: on stderr, each text a line. */
export function say(text: string): void {
  process.stderr.write(`${text.split("\n").map(printable).join("\n")}\n`);
}

/** Says what went wrong. */
export function sayError(text: string): void {
  process.stderr.write(`${styleText("red", "error:", { stream: process.stderr })} ${printable(text)}\n`);
}
