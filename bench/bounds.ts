/** A measured value with its upper bound. */
export interface Bound {
  name: string;
  value: number;
  max: number;
}

export const isWithin = ({ value, max }: Bound): boolean => value <= max;

/** Prints each bound with its result. @returns whether all hold */
export function checkBounds(bounds: readonly Bound[]): boolean {
  console.log('\nBounds');
  for (const bound of bounds) {
    const { name, value, max } = bound;
    console.log(
      `  ${isWithin(bound) ? 'ok    ' : 'FAILED'}  ${name}: ${formatNumber(value)} (at most ${formatNumber(max)})`,
    );
  }
  return bounds.every(isWithin);
}

/** Formats a number with one or two decimals. */
export const formatNumber = (value: number): string =>
  Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 2 : 1);

/**
 * Prints the header of a table. @returns a function that prints a row
 * @param width the width of the first column, which is text; the others are as wide as their headings
 */
export function startTable(
  width: number,
  [first = '', ...headings]: readonly string[],
): (row: readonly string[]) => void {
  const print = ([name = '', ...cells]: readonly string[]) =>
    console.log(
      `  ${[name.padEnd(width), ...cells.map((cell, column) => cell.padStart(headings[column]!.length))].join('  ')}`,
    );
  print([first, ...headings]);
  return print;
}
