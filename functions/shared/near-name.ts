/**
 * Returns whether two names differ by at most `most` single edits: a character inserted, deleted or replaced, or two neighbors
 * swapped.
 */
export function isNearName(one: string, other: string, most: number): boolean {
  if (Math.abs(one.length - other.length) > most) return false;
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row++) {
    const current = [row];
    for (let column = 1; column <= other.length; column++) {
      const differs = one[row - 1] === other[column - 1] ? 0 : 1;
      const isSwap = row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      current[column] = Math.min(
        previous[column]! + 1,
        current[column - 1]! + 1,
        previous[column - 1]! + differs,
        ...(isSwap ? [beforePrevious[column - 2]! + 1] : []),
      );
    }
    [beforePrevious, previous] = [previous, current];
  }
  return previous[other.length]! <= most;
}
