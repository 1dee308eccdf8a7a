import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLogger, describeError } from '../../../functions/shared/logging.ts';
import { run } from '../../../infra/operations/stack-trace.ts';
import { bundle, sourceMapOf } from '../../../infra/synth/bundle.ts';
import { linesOf } from '../../functions/log-lines.ts';

const files: Record<string, string> = {
  'package-lock.json': '{}',
  'functions/entries/one.lambda.ts': `import { readTitle, Shelf } from '../shared/shelf.ts';

export const handler = async (): Promise<string> => readTitle(new Shelf());
`,
  'functions/entries/two.lambda.ts': 'export const handler = async () => 2;\n',
  'functions/shared/shelf.ts': `/** Some lines that are no code. */
export class Shelf {
  find(title: string): string {
    return [title].map((each) => refuse(each)).join();
  }
}

export async function readTitle(shelf: Shelf): Promise<string> {
  await Promise.resolve();
  return shelf.find('a title');
}

const refuse = (title: string): string => {
  throw new TypeError(\`There is no \${title}.\`);
};
`,
};

let root: string;
let error: Error;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'firstframe-stack-trace-'));
  for (const [path, content] of Object.entries(files)) await write(path, content);
  error = await failure();
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function write(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}

/** Returns the error of the function `one`, with its stack in Lambda. */
async function failure(): Promise<Error> {
  const { directory } = (await bundle({ root })).get('one')!;
  const { handler } = createRequire(import.meta.url)(directory) as { handler: () => Promise<string> };
  const thrown: Error = await handler().then(
    () => expect.fail('The handler did not throw.'),
    (reason: Error) => reason,
  );
  thrown.stack = thrown.stack!.replaceAll(directory, '/var/task');
  return thrown;
}

async function decode(input: string, ...args: string[]) {
  const printed: string[] = [];
  const errors: string[] = [];
  const status = await run(
    args,
    async () => input,
    (text) => printed.push(text),
    (message) => errors.push(message),
    root,
  );
  return { status, output: printed.join('\n'), message: errors.join('\n') };
}

const decodedStack = `TypeError: There is no a title.
    at refuse (functions/shared/shelf.ts:14:9)
    at functions/shared/shelf.ts:4:34
    at Array.map (<anonymous>)
    at Shelf.find (functions/shared/shelf.ts:4:20)
    at readTitle (functions/shared/shelf.ts:10:16)`;

describe('source positions and names are printed for', () => {
  test('a stack trace with the function as an argument', async () => {
    expect(error.stack).toMatch(/\/var\/task\/index\.js:1:\d+/);
    expect(error.stack).not.toMatch(/shelf|readTitle/);
    const { status, output, message } = await decode(error.stack!, 'one');
    expect([status, message]).toEqual([0, '']);
    expect(output).toContain(decodedStack);
  });

  test('a stack trace whose positions are URLs', async () => {
    const { output } = await decode(error.stack!.replaceAll('/var/task', 'file:///var/task'), 'one');
    expect(output).toContain(decodedStack);
  });

  test('a log line that names its function, among others', async () => {
    const [line] = await linesOf(async () => createLogger('one').error('A request failed.', describeError(error)));
    const log = `2026-03-10T12:00:00Z START\n2026-03-10T12:00:00Z ${JSON.stringify(line)}\nEND`;
    const { status, output } = await decode(log);
    expect(status).toBe(0);
    expect(output).toContain(decodedStack);
    expect(output).toMatch(/^2026-03-10T12:00:00Z START\n2026-03-10T12:00:00Z \{.*\n.*\nEND$/s);
  });

  test('an error logged by Lambda, with a list as stack trace', async () => {
    const line = { level: 'ERROR', errorType: error.name, stackTrace: error.stack!.split('\n') };
    const { output } = await decode(JSON.stringify(line), 'one');
    expect(output).toContain('    at refuse (functions/shared/shelf.ts:14:9)');
    expect(output).toContain('    at readTitle (functions/shared/shelf.ts:10:16)');
    expect(output).not.toContain('/var/task');
  });

  test('a file', async () => {
    await write('log.txt', error.stack!);
    expect((await decode('', 'one', '--file', join(root, 'log.txt'))).output).toContain(decodedStack);
  });

  test('a stack trace of npm start, with paths that name the function', async () => {
    const local = error.stack!.replaceAll('/var/task', join(root, '.build/functions/one'));
    expect((await decode(local)).output).toContain(decodedStack);
  });

  test('a stack trace after the source map was deleted', async () => {
    await rm(sourceMapOf('one', join(root, '.build')));
    expect((await decode(error.stack!, 'one')).output).toContain(decodedStack);
  });
});

describe('prints an error for', () => {
  test.each([
    ['no function', [], /^Name the function of the stack trace: one, two\./],
    ['an unknown function', ['three'], /^There is no function three\. Use one of one, two\./],
    ['too many arguments', ['one', 'two'], /^Usage:/],
    ['a missing file', ['one', '--file', 'no.log'], /^The file cannot be read: ENOENT/],
    ['an unknown option', ['--verbose'], /--verbose.*Usage:/s],
  ])('%s', async (_, args, expected) => {
    expect(await decode(error.stack!, ...args)).toEqual({
      status: 1,
      output: '',
      message: expect.stringMatching(expected),
    });
  });

  test.each([[''], ['Error: no\n    at readFile (node:fs:1:2)']])(
    'a text without a position in deployed code: %j',
    async (text) => {
      expect(await decode(text, 'one')).toMatchObject({
        status: 1,
        message: expect.stringMatching(/^The text contains no position/),
      });
    },
  );
});

describe('reports another deployed version', () => {
  const shelf = files['functions/shared/shelf.ts']!;
  const warning = /^The positions in (one|two) do not match this checkout.* Check out the deployed commit/;

  test('when functions have moved', async () => {
    await write('functions/shared/shelf.ts', shelf.replace('/**', 'console.log();\n/**'));
    const { status, message } = await decode(error.stack!, 'one');
    expect([status, message]).toEqual([1, expect.stringMatching(warning)]);
  });

  test('when a line has changed', async () => {
    await write('functions/shared/shelf.ts', shelf.replace('.join()', ".join(' and ')"));
    const { status, message } = await decode(error.stack!, 'one');
    expect([status, message]).toEqual([1, expect.stringMatching(warning)]);
  });

  test('when the stack trace is of another function', async () => {
    const { status, message } = await decode(error.stack!, 'two');
    expect([status, message]).toEqual([1, expect.stringMatching(warning)]);
  });

  test('but not for the checkout of the deployment', async () => {
    await write('functions/shared/shelf.ts', shelf);
    expect(await decode(error.stack!, 'one')).toMatchObject({ status: 0, message: '' });
  });
});
