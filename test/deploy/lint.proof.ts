import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { synthesize } from '../../infra/synth/synthesize.ts';
import { pythonWith, run } from '../support/python.ts';

const directory = await mkdtemp(path.join(tmpdir(), 'firstframe-lint-'));
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Settings that together create every resource. */
test.each([
  ['without settings', {}],
  [
    'with every optional resource',
    {
      auth: 'jwt',
      jwt: { issuer: 'https://id.example', audience: 'firstframe' },
      waf: { requestsPer5Minutes: 1000 },
      apiConcurrency: 10,
      alarmEmail: 'operator@example.com',
      removalPolicy: 'destroy',
    },
  ],
  ['with signed requests', { auth: 'iam' }],
])('cfn-lint finds nothing in the template %s', async (name, context) => {
  const cfnLint = path.join(await pythonWith('cfn-lint', '1.58.0'), 'cfn-lint');
  const { template } = await synthesize({ context });
  const file = path.join(directory, `${name.replaceAll(' ', '-')}.json`);
  await writeFile(file, JSON.stringify(template, null, 1));
  // W3005: the CDK adds a role to DependsOn that a reference already implies.
  const regions = ['us-east-1', 'eu-central-1', 'ap-southeast-1'];
  expect(await run(cfnLint, ['--ignore-checks', 'W3005', '--regions', ...regions, '--', file])).toBe(0);
});
