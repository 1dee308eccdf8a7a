import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { newSecretVersion } from '../../functions/events/subscriptions.ts';
import { sendWebhook } from '../../functions/events/webhook-request.ts';
import { webhookSecret } from '../../functions/events/webhook-secret.ts';
import { aWebhookStage, HOUR, master } from '../functions/events/support.ts';
import { pythonWith } from '../support/python.ts';

/*
 * `npm run test:python-sdk`, first part: a receiver in Python verifies webhooks as docs/webhooks.md shows it, with the package
 * `standardwebhooks`, as PyPI has it: with the current secret, with the previous one during a rotation, and no more a day later.
 */

const python = path.join(await pythonWith('standardwebhooks==1.1.0'), 'python');
const stage = aWebhookStage();
stage.behavior.send = sendWebhook;
const guide = await readFile(path.join(import.meta.dirname, '../../docs/webhooks.md'), 'utf8');
const [, code] = /^```python\n([\s\S]*?)^```/m.exec(guide)!;

/** Delivers an event to a receiver that knows a version of the secret. @returns whether the receiver handled it, the delivery's state and the answer */
async function deliverTo(version: number): Promise<[boolean, string]> {
  const secret = webhookSecret(master, 'alice', version);
  const receiver = spawn(python, [path.join(import.meta.dirname, 'receiver.py'), code!], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, WEBHOOK_SECRET: secret, PYTHONIOENCODING: 'utf-8' },
  });
  const lines = createInterface(receiver.stdout)[Symbol.asyncIterator]();
  const next = async () => (await lines.next()).value as string | undefined;
  try {
    const url = `http://127.0.0.1:${await next()}/hook`;
    const video = await stage.video(
      { webhook: { url, events: 'endings' }, metadata: { name: 'Žluťoučký 猫 🐈 "\\/' } },
      'failed',
    );
    await stage.drain();
    const { state, last_attempts } = (await stage.delivery(video))!;
    return [
      state === 'delivered' && (await next()) === `video.failed ${video.id}`,
      `${state} ${last_attempts.at(-1)?.status}`,
    ];
  } finally {
    receiver.kill();
  }
}

const verified = [true, 'delivered 204'];
const refused = [false, 'pending 400'];
// The library compares the time of a webhook with the clock of this machine.
stage.clock.now = Date.now();
assert.deepEqual(await deliverTo(1), verified);
assert.deepEqual(await deliverTo(2), refused);

stage.clock.now -= 24 * HOUR - 60_000;
await newSecretVersion(stage.table, 'alice');
await newSecretVersion(stage.table, 'alice');
stage.clock.now = Date.now();
assert.deepEqual(await deliverTo(1), verified, 'with the previous secret, 23 hours after the rotation');
assert.deepEqual(await deliverTo(2), verified, 'with the new secret');

stage.clock.now -= 24 * HOUR;
await newSecretVersion(stage.table, 'alice');
stage.clock.now = Date.now();
assert.deepEqual(await deliverTo(2), refused, 'with the previous secret, 24 hours after the rotation');
assert.deepEqual(await deliverTo(3), verified);
console.log('A receiver in Python verified the webhooks with standardwebhooks 1.1.0, with a rotated secret too.');
