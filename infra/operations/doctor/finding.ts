/** What a look at one thing found. */
export type Finding =
  | { state: 'well'; what: string }
  /** Works, but is not as it should be. */
  | { state: 'odd'; what: string; mend: string }
  | { state: 'wrong'; what: string; mend: string };

export const well = (what: string): Finding => ({ state: 'well', what });
export const odd = (what: string, mend: string): Finding => ({ state: 'odd', what, mend });
export const wrong = (what: string, mend: string): Finding => ({ state: 'wrong', what, mend });

const marks = { well: '✓', odd: '!', wrong: '✗' };

/** A finding as a person reads it: one line, and one below it that says how to mend it. */
export function linesOf(finding: Finding): string[] {
  const line = `${marks[finding.state]} ${finding.what}`;
  return 'mend' in finding ? [line, `    ${finding.mend}`] : [line];
}
