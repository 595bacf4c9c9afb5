import { parseArgs } from "node:util";

export const help = `npm start [-- OPTION …]

Runs a small clinic: receptionists at their desks append what happens in the waiting rooms, a follower reads it back,
a worker keeps a table of visits and announces arrivals (through RabbitMQ too, with RABBITMQ_URL=amqp://…).
Without DATABASE_URL an embedded PostgreSQL is started; its data lies in .daybook/ and is there the next time.
Ctrl-C ends it with a summary.

  --exit               stop by itself; exit code 1 if an event was lost
  --seconds N          … after so many seconds; 5
  --rate N             events per second at most; 50
  --receptionists N    how many work at once; 6
  --seed N             the same seed: the same people; at random if not given`;

export interface Options {
  /** Null: until Ctrl-C. */
  readonly seconds: number | null;
  readonly rate: number;
  readonly receptionists: number;
  readonly seed: number;
}

/**
 * What the command line says; null: help is wanted.
 *
 * @throws Error with one line for a person
 */
export function readOptions(args: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      exit: { type: "boolean" },
      seconds: { type: "string" },
      rate: { type: "string", default: "50" },
      receptionists: { type: "string", default: "6" },
      seed: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return null;
  const isLimited = values.exit === true || values.seconds !== undefined;
  return {
    seconds: isLimited ? number("seconds", values.seconds ?? "5", 0.1, 1e6) : null,
    rate: number("rate", values.rate, 0.1, 1e6),
    receptionists: Math.floor(number("receptionists", values.receptionists, 1, 1000)),
    seed: values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : number("seed", values.seed, 0, 2 ** 32 - 1),
  };
}

function number(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= least && value <= most)) {
    throw new Error(`--${name} is a number from ${least} to ${most}`);
  }
  return value;
}
