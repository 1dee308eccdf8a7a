/** The result of one check. */
export type Finding =
  | { state: 'ok'; summary: string }
  /** Works, but differs from the expected state. */
  | { state: 'warning'; summary: string; fix: string }
  | { state: 'failure'; summary: string; fix: string }
  /** Could not be checked; `fix` is how to do it by hand. */
  | { state: 'unchecked'; summary: string; fix: string };

export const ok = (summary: string): Finding => ({ state: 'ok', summary });
export const warning = (summary: string, fix: string): Finding => ({ state: 'warning', summary, fix });
export const failure = (summary: string, fix: string): Finding => ({ state: 'failure', summary, fix });
export const unchecked = (summary: string, how: string): Finding => ({ state: 'unchecked', summary, fix: how });

const marks = { ok: '✓ ok       ', warning: '! warning  ', failure: '✗ error    ', unchecked: '– unchecked' };

/** Formats a finding: a line with the summary, and an indented one with the fix. */
export function linesOf(finding: Finding): string[] {
  const line = `${marks[finding.state]} ${finding.summary}`;
  return 'fix' in finding ? [line, `    ${finding.fix}`] : [line];
}
