import stringWidth from "string-width";

/*
 * A table for a terminal, a block of rows at a time: the first block sets the widths of the columns, so that a log of any
 * length, and one that goes on, is printed with little memory.
 */

/** A column of a table. */
export interface Column {
  /** The key of a row, and the heading. */
  readonly name: string;
  readonly align?: "right";
  /** The least width, for rows that come later. */
  readonly least?: number;
  /** Never cut: a number, a time. */
  readonly isWhole?: true;
}

const gap = 2;
/** A column that must give way is not made narrower than this. */
const narrow = 12;

/** Widths that hold the cells; where the terminal is too narrow, the widest column gives way, step by step. */
export function columnWidths(columns: readonly Column[], rows: readonly string[][], terminal: number): number[] {
  const widths = columns.map(({ name, least = 0 }, i) =>
    Math.min(terminal, Math.max(stringWidth(name), least, ...rows.map((cells) => stringWidth(cells[i] ?? "")))),
  );
  let excess = widths.reduce((sum, width) => sum + width + gap, -gap) - terminal;
  const elastic = () => widths.map((width, i) => (columns[i]?.isWhole ? 0 : width));
  for (let candidates = elastic(); excess > 0; candidates = elastic()) {
    const widest = Math.max(...candidates);
    if (widest <= narrow) break;
    widths[candidates.lastIndexOf(widest)] = widest - 1;
    excess -= 1;
  }
  return widths;
}

/** A column of numbers. */
export function numberColumn(name: string, least?: number): Column {
  return { name, align: "right", isWhole: true, ...(least !== undefined && { least }) };
}

/** A column of moments, as `utc` writes them. */
export function timeColumn(name: string): Column {
  return { name, least: timeWidth, isWhole: true };
}

const timeWidth = "2026-11-21 09:30:00.000".length;

/** A moment as a terminal shows it: to the millisecond. */
export function shortTime(text: string): string {
  return /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text) ? text.slice(0, timeWidth).replace("T", " ") : text;
}

/** The cells of a row in one line. */
export function tableLine(columns: readonly Column[], widths: readonly number[], cells: readonly string[]): string {
  return columns
    .map(({ align }, i) => {
      const text = cut(cells[i] ?? "", widths[i] ?? 0);
      const space = " ".repeat(Math.max(0, (widths[i] ?? 0) - stringWidth(text)));
      return align === "right" ? space + text : text + space;
    })
    .join(" ".repeat(gap))
    .trimEnd();
}

const graphemes = new Intl.Segmenter();

/** A text of at most this width; where something is left out it ends in an ellipsis. */
export function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let kept = "";
  let room = width - 1;
  for (const { segment } of graphemes.segment(text)) {
    room -= stringWidth(segment);
    if (room < 0) break;
    kept += segment;
  }
  return `${kept}…`;
}
