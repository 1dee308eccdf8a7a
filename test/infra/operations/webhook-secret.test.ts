import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { webhookSecret } from '../../../functions/events/webhook-secret.ts';
import { run } from '../../../infra/operations/webhook-secret.ts';
import { startTable } from '../../support/table.ts';

const store = startTable();
const master = 'the value of the secret';
/** Answers Secrets Manager's calls, and forwards all others to the table. */
let aws: Server;
let hasSecret = true;
beforeAll(async () => {
  const table = await store.client.config.endpoint!();
  aws = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (/GetSecretValue$/.test(request.headers['x-amz-target'] as string)) {
      const { SecretId } = JSON.parse(Buffer.concat(chunks).toString()) as { SecretId: string };
      const found = hasSecret && SecretId === 'firstframe-webhook-key';
      response.writeHead(found ? 200 : 400, { 'content-type': 'application/x-amz-json-1.1' });
      return void response.end(
        JSON.stringify(found ? { SecretString: master } : { __type: 'ResourceNotFoundException' }),
      );
    }
    const { host: _, connection: __, ...headers } = request.headers as Record<string, string>;
    const answer = await fetch(`http://127.0.0.1:${table.port}/`, {
      method: 'POST',
      headers,
      body: Buffer.concat(chunks),
    });
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(Buffer.from(await answer.arrayBuffer()));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => aws.once('listening', resolve));
});
afterAll(async () => {
  aws.close();
  await store.close();
});

/** Runs the command on the test's table and secret, in place of those of `npm start`. */
async function command(...args: string[]) {
  const lines: string[] = [];
  const errors: string[] = [];
  const status = await run(
    [...args, '--local', '--table', store.table.tableName],
    { AWS_PORT: String((aws.address() as AddressInfo).port) },
    (line) => lines.push(line),
    (line) => errors.push(line),
  );
  return { status, lines, error: errors.join('\n') };
}

test('the first secret of an owner is shown once, and each rotation shows the next one', async () => {
  const first = await command('alice');
  expect(first).toMatchObject({ status: 0, error: '' });
  expect(first.lines).toEqual([
    'This is the webhook secret of alice. Save it now: it cannot be shown again.',
    webhookSecret(master, 'alice', 1),
  ]);
  const again = await command('alice');
  expect(again).toMatchObject({ status: 1, lines: [], error: expect.stringContaining('--rotate') });
  const rotated = await command('alice', '--rotate');
  expect(rotated.lines[0]).toMatch(/^This is version 2 .* The previous one also signs until \d{4}-.*Z\. Save it now/);
  expect(rotated.lines[1]).toBe(webhookSecret(master, 'alice', 2));
  const { Items } = await store.table.client.send(new ScanCommand({ TableName: store.table.tableName }));
  expect(JSON.stringify(Items)).not.toContain('whsec_');
});

test.each([
  [[], /^Usage/],
  [['a#b'], /no name of an owner/],
  [['alice', 'bob'], /Unexpected argument "bob"/],
  [['alice', '--rotat'], /rotat/],
])('arguments %j are refused with the usage', async (args, message) => {
  const { status, lines, error } = await command(...args);
  expect({ status, lines }).toEqual({ status: 1, lines: [] });
  expect(error).toMatch(message);
  expect(error).toContain('npm run webhook-secret --');
});

test('nothing is rotated when the secret of the stack cannot be read', async () => {
  await command('carol');
  hasSecret = false;
  const refused = await command('carol', '--rotate');
  hasSecret = true;
  expect(refused).toMatchObject({ status: 1, lines: [], error: expect.stringContaining('There is no secret') });
  expect((await command('carol', '--rotate')).lines[0]).toContain('version 2');
});
