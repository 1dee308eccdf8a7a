import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { expect, test } from 'vitest';
import { UNSET_SECRET } from '../../../functions/shared/environment.ts';
import { secretReader } from '../../../functions/shared/secret.ts';

function aReader(values: readonly string[]) {
  let now = 0;
  let reads = 0;
  const client = {
    send: async () => ({ SecretString: values[Math.min(reads++, values.length - 1)] }),
  } as unknown as Pick<SecretsManagerClient, 'send'>;
  const read = secretReader(client, 'arn:secret', () => now);
  return { read, reads: () => reads, advance: (seconds: number) => (now += seconds * 1000) };
}

test('reads a secret once in five minutes', async () => {
  const { read, reads, advance } = aReader(['old', ' new\n']);
  expect(await read()).toBe('old');
  advance(299);
  expect(await read()).toBe('old');
  advance(1);
  expect(await read()).toBe('new');
  expect(reads()).toBe(2);
});

test('reads a secret again once it was rejected', async () => {
  const { read } = aReader(['old', 'new']);
  expect(await read()).toBe('old');
  read.forget();
  expect(await read()).toBe('new');
});

test('is empty until the secret is set', async () => {
  const { read } = aReader([UNSET_SECRET]);
  expect(await read()).toBe('');
});
