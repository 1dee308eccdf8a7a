import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { bundle, projectRoot } from '../synth/bundle.ts';
import { type MappedBundle, readMappedBundle } from '../synth/source-map.ts';
import { readArguments, runCommand, UsageError } from './command.ts';

const usage = `Usage:
  npm run stack-trace -- [FUNCTION] < log.txt
  npm run stack-trace -- [FUNCTION] --file log.txt

Prints a stack trace, or log lines that contain stack traces, with positions in the sources instead of those in deployed code.
FUNCTION, such as create-task, is required unless a log line names it as "service".`;

/**
 * `npm run stack-trace`: deployed code is minified and its source maps are not deployed, so this bundles the checkout and applies
 * its source maps.
 * @param input reads standard input
 * @param print called with the decoded text
 * @param printError called with each error
 * @param root the checkout
 * @returns the exit status
 */
export const run = (
  args: string[],
  input: () => Promise<string>,
  print: (text: string) => void,
  printError: (message: string) => void,
  root = projectRoot,
): Promise<number> =>
  runCommand(printError, async () => {
    const options = { file: { type: 'string' } } as const;
    const { values, positionals } = readArguments({ args, allowPositionals: true, options }, usage);
    if (positionals.length > 1) throw new UsageError(usage);
    const lines = linesOf(values.file === undefined ? await input() : await readLog(values.file), positionals[0]);
    const frames = lines.flatMap((line) => line.frames);
    const bundles = await openBundles(frames, root);
    print(lines.map((line) => decodeLine(line, bundles)).join('\n'));
    const misfits = [...bundles].filter(([name, mapped]) => !fits(name, frames, mapped));
    for (const [name] of misfits) printError(otherVersion(name));
    return misfits.length > 0 ? 1 : 0;
  });

const readLog = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((error: Error) => {
    throw new UsageError(`The file cannot be read: ${error.message}.`);
  });

/** A line of a log or of a stack trace in it. */
interface Line {
  text: string;
  frames: Frame[];
}

interface Frame {
  /** The replaced text. */
  text: string;
  /** V8's name of the function, such as `new a` or `Object.b`. */
  name: string | undefined;
  /** The function whose code it is, if the log names it. */
  bundle: string | undefined;
  line: number;
  column: number;
  /** Whether it is below another frame, so that its position is a call. */
  isCaller: boolean;
}

/** Matches a position in deployed code or in a bundle of `npm start`, and the name before it. */
const position =
  /(?:(?<name>[\w$.<>#]+(?: \[as [^\]]+\])?) \()?(?:file:\/\/)?(?:\/var\/task|[^\s()"]*\/\.build\/functions\/(?<path>[\w-]+))\/index\.js:(?<line>\d+):(?<column>\d+)/g;

/** Splits a log into lines and their frames. @param service the function, if given as an argument */
function linesOf(log: string, service: string | undefined): Line[] {
  let logger = service;
  let above = '';
  return log.split('\n').flatMap((entry) => {
    logger = service ?? /"service":\s*"([\w-]+)"/.exec(entry)?.[1] ?? logger;
    // In JSON, a stack trace is a string with escaped line breaks, or a list if Lambda logs it.
    const texts = entry.replaceAll(/\\n(?=\s+at )|(?<=",)\s*(?="\s+at )/g, '\n').split('\n');
    return texts.map((text) => {
      const isCaller = /^"?\s*at /.test(above);
      above = text;
      const frames = [...text.matchAll(position)].map(([text, name, path, line, column]) => ({
        ...{ text, name, bundle: path ?? logger, isCaller },
        ...{ line: Number(line), column: Number(column) },
      }));
      return { text, frames };
    });
  });
}

/** Opens the bundles of the frames. @throws UsageError if there are no frames, or for an unknown function */
async function openBundles(frames: readonly Frame[], root: string): Promise<Map<string, MappedBundle>> {
  if (frames.length === 0) {
    throw new UsageError(
      `The text contains no position in deployed code (/var/task/index.js:LINE:COLUMN).\n\n${usage}`,
    );
  }
  const known = [...(await bundle({ root })).keys()];
  const opened = new Map<string, MappedBundle>();
  for (const name of new Set(frames.map((frame) => frame.bundle))) {
    if (name === undefined)
      throw new UsageError(`Name the function of the stack trace: ${known.join(', ')}.\n\n${usage}`);
    if (!known.includes(name)) throw new UsageError(`There is no function ${name}. Use one of ${known.join(', ')}.`);
    opened.set(name, await readMappedBundle(name, root));
  }
  return opened;
}

function decodeLine({ text, frames }: Line, bundles: ReadonlyMap<string, MappedBundle>): string {
  return frames.reduce((decoded, frame) => {
    const mapped = bundles.get(frame.bundle!)!;
    const source = mapped.sourceOf(frame.line, frame.column);
    if (!source) return decoded;
    const name = frame.name?.replaceAll(/[\w$]+/g, (minified) => originalName(minified, frame, mapped) ?? minified);
    const place = `${source.file}:${source.line}:${source.column}`;
    return decoded.replace(frame.text, () => (name ? `${name} (${place}` : place));
  }, text);
}

/** Returns the source name of the function or class around a position: that of its last declaration before the position. */
function originalName(minified: string, { line, column }: Frame, { code, sourceOf }: MappedBundle): string | undefined {
  const before = code.split('\n')[line - 1]!.slice(0, column - 1);
  const name = minified.replaceAll('$', '\\$');
  const assigned = `(?<![\\w$.])(?=${name}=(?:async|function|class|\\(|[\\w$]+=>))`;
  const declaration = new RegExp(`(?:\\b(?:function|class) |\\bfunction\\*|${assigned})${name}(?![\\w$])`, 'g');
  const last = [...before.matchAll(declaration)].at(-1);
  return last && sourceOf(line, last.index + last[0].length - minified.length + 1)?.name;
}

/**
 * Whether frames match a bundle: the position of a call must be the start of an expression. Few calls are hidden, such as that of
 * a class whose field throws, so at most a quarter may differ.
 */
function fits(name: string, frames: readonly Frame[], { sourceOf }: MappedBundle): boolean {
  const sources = frames.flatMap(({ bundle, line, column, isCaller }) => {
    const source = bundle === name && sourceOf(line, column);
    return source ? [{ isCaller, isExact: source.isExact }] : [];
  });
  const callers = sources.filter(({ isCaller }) => isCaller);
  return sources.length > 0 && callers.filter(({ isExact }) => !isExact).length * 4 <= callers.length;
}

const otherVersion = (name: string): string =>
  `The positions in ${name} do not match this checkout and may be wrong: another version is deployed. Check out the ` +
  'deployed commit, run npm ci, and try again.';

if (process.argv[1] === import.meta.filename) {
  process.exitCode = await run(process.argv.slice(2), () => readAll(process.stdin), console.log, console.error);
}
