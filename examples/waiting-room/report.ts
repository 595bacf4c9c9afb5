import type { Follower } from "./follower.ts";
import { type Followed, type Following, missing } from "./following.ts";
import type { Balance, Ledger } from "./ledger.ts";
import type { Figures } from "./read-models.ts";

/** Shows how it goes: on a terminal one line that changes, elsewhere a line every second. Call what it gives to end it. */
export function showProgress(
  ledger: Ledger,
  { follower, following }: { readonly follower: Follower; readonly following: Following },
  output: NodeJS.WriteStream,
): () => void {
  const recent = [{ at: performance.now(), appended: 0 }];
  const show = () => {
    const balance = ledger.balance();
    recent.push({ at: performance.now(), appended: balance.appended });
    if (recent.length > (output.isTTY ? 10 : 2)) recent.shift();
    const line = progressLine(balance, follower, following, rateOf(recent));
    output.write(output.isTTY ? `\r\u001b[2K${line.slice(0, output.columns - 1)}` : `${line}\n`);
  };
  const timer = setInterval(show, output.isTTY ? 200 : 1000);
  return () => {
    clearInterval(timer);
    if (output.isTTY) output.write("\r\u001b[2K");
  };
}

function rateOf(recent: readonly { readonly at: number; readonly appended: number }[]): number {
  const [first, last] = [recent[0], recent.at(-1)];
  if (!first || !last || last.at === first.at) return 0;
  return ((last.appended - first.appended) / (last.at - first.at)) * 1000;
}

function progressLine(
  { appended, conflicts, latency }: Balance,
  follower: Follower,
  { followed: { visits, announced }, figures }: Following,
  rate: number,
): string {
  const board = follower.board();
  const total = board.reduce((sum, room) => sum + room.waiting, 0);
  const rooms = board.map((room) => `${room.room} ${room.waiting}`).join(", ");
  return [
    `waiting ${total} (${rooms})`,
    `${appended} events, ${rate.toFixed(0)}/s`,
    `${conflicts} conflicts retried`,
    ...(figures === undefined ? [] : [figuresOf(figures)]),
    `${visits} visits kept, ${announced} announced`,
    `p50 ${latency.p50.toFixed(1)} ms, p95 ${latency.p95.toFixed(1)} ms`,
  ].join(" · ");
}

/** What the read models say. */
function figuresOf({ waiting, longest, present, arrived, called, gaveUp }: Figures): string {
  const wait = longest === null ? "" : `, one since ${longest.toFixed(0)} s`;
  return `queue ${waiting}${wait}; patients ${present.called} called, ${present.attended} attended; today ${arrived} came, ${called} called, ${gaveUp} gave up`;
}

/** What it came to, for a person, and for whoever looks for `lost: 0`. */
export function summary(balance: Balance, followed: Followed, seconds: number): string {
  const { appended, conflicts, latency, unread, surplus, disorder } = balance;
  const lines = [
    `events appended: ${appended}`,
    `per second: ${(appended / seconds).toFixed(1)}`,
    `conflicts retried: ${conflicts}`,
    `append latency: p50 ${latency.p50.toFixed(1)} ms, p95 ${latency.p95.toFixed(1)} ms`,
    `visits in the read table: ${followed.visits} of ${followed.arrivals}`,
    `arrivals announced: ${followed.announced} of ${followed.arrivals}`,
  ];
  const { differences } = followed;
  lines.push(`read models: ${differences === 0 ? "as the log says" : `${differences} rows are not what the log says`}`);
  if (followed.received !== null) lines.push(`arrivals through RabbitMQ: ${followed.received} of ${followed.arrivals}`);
  lines.push(`lost: ${unread + missing(followed)}`);
  if (surplus > 0) lines.push(`read without an acknowledgement: ${surplus}`);
  if (disorder > 0) lines.push(`out of order, or missing in between: ${disorder}`);
  return lines.join("\n");
}

/**
 * Whether every acknowledged event came back once, in order, no version is missing, each arrival came through, and
 * the read models say what the log says.
 */
export function isSound({ unread, surplus, disorder }: Balance, followed: Followed): boolean {
  return unread === 0 && surplus === 0 && disorder === 0 && missing(followed) === 0 && followed.differences === 0;
}
