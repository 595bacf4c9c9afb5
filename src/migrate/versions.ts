/** Compares two versions as semver.org orders them: negative where `a` is older, 0 where they are equal. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [parse(a), parse(b)];
  return compareLists(left.core, right.core) || comparePreviews(left.preview, right.preview);
}

function parse(version: string): { core: string[]; preview: string[] } {
  const [, core = "", preview = ""] = /^v?([\d.]*)(?:-([0-9A-Za-z.-]+))?/.exec(version) ?? [];
  return { core: core.split("."), preview: preview === "" ? [] : preview.split(".") };
}

/** A version without a preview part is newer than its previews. */
function comparePreviews(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length;
  return compareLists(a, b) || a.length - b.length;
}

function compareLists(a: readonly string[], b: readonly string[]): number {
  for (const [i, left] of a.entries()) {
    const right = b[i];
    if (right === undefined) return 0;
    const result = compareParts(left, right);
    if (result !== 0) return result;
  }
  return 0;
}

/** Numbers by size, words by letters, numbers before words. */
function compareParts(a: string, b: string): number {
  const [isNumberA, isNumberB] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isNumberA && isNumberB) return Number(a) - Number(b);
  if (isNumberA !== isNumberB) return isNumberA ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
