/** Orders strings as their UTF-8 bytes: by code point, where UTF-16 puts U+E000–U+FFFF behind the surrogates. */
export function compareBytes(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const unitA = a.charCodeAt(i);
    const unitB = b.charCodeAt(i);
    if (unitA !== unitB) return rank(unitA) - rank(unitB);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** Position of the first of `sorted` that is not less than `key`. */
export function lowerBound(sorted: readonly string[], key: string): number {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (compareBytes(sorted[middle]!, key) < 0) from = middle + 1;
    else to = middle;
  }
  return from;
}
