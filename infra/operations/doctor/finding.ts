/** The result of one check. */
export type Finding =
  | { state: 'ok'; summary: string }
  /** Works, but is not as it should be. */
  | { state: 'warning'; summary: string; fix: string }
  | { state: 'failure'; summary: string; fix: string };

export const ok = (summary: string): Finding => ({ state: 'ok', summary });
export const warning = (summary: string, fix: string): Finding => ({ state: 'warning', summary, fix });
export const failure = (summary: string, fix: string): Finding => ({ state: 'failure', summary, fix });

const marks = { ok: '✓', warning: '!', failure: '✗' };

/** A finding as a person reads it: one line, and one below it that says how to fix it. */
export function linesOf(finding: Finding): string[] {
  const line = `${marks[finding.state]} ${finding.summary}`;
  return 'fix' in finding ? [line, `    ${finding.fix}`] : [line];
}
