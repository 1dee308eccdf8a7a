import { explainEnding, failureCodes } from '../../wan/errors.ts';
import { codeNames, problemCodes } from './problem-codes.ts';

/** A table in Markdown. */
const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** The endings of a video, from the very rows that explain them: in the contract, and in the README. */
export const endingsTable: string = table(
  ['code', 'retryable', 'billed', 'what it means'],
  failureCodes
    .map((code) => explainEnding(code))
    .map(({ code, message, retryable, billed, hint }) => [
      `\`${code}\``,
      retryable ? 'yes' : 'no',
      billed ? 'yes, or perhaps' : 'no',
      `${message} ${hint}`,
    ]),
);

/** What a request may be answered with instead of what it asked for, from the rows of the contract. */
export const problemsTable: string = table(
  ['code', 'status', 'what it means'],
  codeNames.map((code) => {
    const { status, means, mend } = problemCodes[code];
    return [`\`${code}\``, status, `${means} ${mend}`];
  }),
);
