/**
 * The branches of a tree, to be drawn before its nodes.
 *
 * @param depths of the nodes, 0 for a root, each right behind its parent
 */
export function treeLines(depths: readonly number[]): string[] {
  // from the end: whether another node of a depth follows before the branch ends
  const follows: boolean[] = [];
  return depths
    .toReversed()
    .map((depth) => {
      const path = Array.from({ length: Math.max(0, depth - 1) }, (_, i) => (follows[i + 1] ? "│  " : "   "));
      const branch = depth === 0 ? "" : follows[depth] ? "├─ " : "└─ ";
      follows.length = depth + 1;
      follows[depth] = true;
      return path.join("") + branch;
    })
    .toReversed();
}
