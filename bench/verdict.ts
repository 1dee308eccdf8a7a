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

/** Prints rows below each other, the first being their heads. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows)
    console.log(
      `  ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ')}`,
    );
}
