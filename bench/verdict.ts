/** A bound that a bench holds a figure against. */
export interface Bound {
  what: string;
  figure: number;
  /** The most that it may be. */
  most: number;
}

export const holds = ({ figure, most }: Bound): boolean => figure <= most;

/** Prints each bound with what came of it. @returns whether all hold */
export function judge(bounds: readonly Bound[]): boolean {
  console.log('\nBounds');
  for (const bound of bounds) {
    const { what, figure, most } = bound;
    console.log(`  ${holds(bound) ? 'held  ' : 'MISSED'}  ${what}: ${short(figure)} (at most ${short(most)})`);
  }
  return bounds.every(holds);
}

/** A figure with as many digits as a reader needs. */
export const short = (figure: number): string =>
  Number.isInteger(figure) ? String(figure) : figure.toFixed(figure < 10 ? 2 : 1);

/**
 * Prints a table's heads, and then each row as soon as it is known.
 * @param width of the first column, which is text; the others are as wide as their heads
 */
export function startTable(width: number, [first = '', ...heads]: readonly string[]): (row: readonly string[]) => void {
  const print = ([name = '', ...cells]: readonly string[]) =>
    console.log(
      `  ${[name.padEnd(width), ...cells.map((cell, column) => cell.padStart(heads[column]!.length))].join('  ')}`,
    );
  print([first, ...heads]);
  return print;
}
