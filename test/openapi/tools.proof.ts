import { access, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import document from '../../functions/api/openapi/document.ts';
import { projectRoot } from '../../infra/synth/bundle.ts';
import { type Endpoint, openLocal } from '../support/endpoint.ts';
import { pythonWith, run } from '../support/python.ts';

/** Pinned, and installed here instead of as development dependencies: they are larger than all others together. */
const linters = ['@redocly/cli@2.77.0', '@stoplight/spectral-cli@6.16.3'];
const schemathesisVersion = '4.32.5';
/** How many requests schemathesis sends at least. */
const requests = Number(process.env.REQUESTS ?? 1000);

const directory = path.join(projectRoot, '.build', 'openapi');
const file = path.join(directory, 'openapi.json');
const configuration = (name: string) => path.join(import.meta.dirname, name);
const linter = (name: string) => path.join(directory, 'node_modules', '.bin', name);

beforeAll(async () => {
  await mkdir(directory, { recursive: true });
  await writeFile(file, JSON.stringify(document));
  const marker = path.join(directory, `installed-${linters.join('-').replaceAll(/[@/]/g, '_')}`);
  const isInstalled = await access(marker).then(
    () => true,
    () => false,
  );
  if (isInstalled) return;
  const quiet = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  expect(await run('npm', ['install', '--prefix', directory, ...quiet, ...linters])).toBe(0);
  await writeFile(marker, '');
});

test('Redocly finds nothing in the contract', async () => {
  const options = ['--config', configuration('redocly.yaml'), '--max-problems', '20', '--format', 'stylish'];
  expect(await run(linter('redocly'), ['lint', ...options, file], { REDOCLY_TELEMETRY: 'off' })).toBe(0);
});

test('Spectral finds nothing in the contract', async () => {
  const options = ['--ruleset', configuration('spectral.yaml'), '--fail-severity', 'hint'];
  expect(await run(linter('spectral'), ['lint', ...options, file])).toBe(0);
});

let api: Endpoint | undefined;
afterAll(() => api?.close());

test(`schemathesis finds nothing with ${requests} requests, with links`, async () => {
  const schemathesis = path.join(await pythonWith(`schemathesis==${schemathesisVersion}`), 'schemathesis');
  const { endpoint } = await openLocal({ apiThrottle: { rate: 1000, burst: 2000 } });
  api = endpoint;
  const options = [
    ...['--config-file', configuration('schemathesis.toml'), 'run', file, '--url', endpoint.url],
    ...['--header', `Authorization: Bearer ${endpoint.api_key}`],
    ...['--max-examples', String(Math.ceil(requests / 30)), '--seed', process.env.SEED ?? '1'],
  ];
  expect(await run(schemathesis, options)).toBe(0);
});
