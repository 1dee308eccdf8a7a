import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { newSecretVersion } from '../../functions/events/subscriptions.ts';
import { sendWebhook } from '../../functions/events/webhook-request.ts';
import { webhookSecret } from '../../functions/events/webhook-secret.ts';
import { aWebhookStage, HOUR, master } from '../functions/events/support.ts';
import { pythonWith } from '../support/python.ts';

/*
 * `npm run test:python-sdk`, first part: a receiver in Python verifies webhooks with the package `standardwebhooks`, as PyPI has it, with
 * the current secret, with the previous one during a rotation, and no more a day later.
 */

const python = path.join(await pythonWith('standardwebhooks==1.1.0'), 'python');
const stage = aWebhookStage();
stage.behavior.send = sendWebhook;
const name = 'Žluťoučký 猫 🐈 "\\/';

/** Delivers an event to a receiver that knows a version of the secret. @returns what the receiver printed, and the delivery's state */
async function deliverTo(version: number): Promise<[string | undefined, string]> {
  const secret = webhookSecret(master, 'alice', version);
  const receiver = spawn(python, [path.join(import.meta.dirname, 'receiver.py'), secret], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PYTHONIOENCODING: 'utf-8' },
  });
  const lines = createInterface(receiver.stdout)[Symbol.asyncIterator]();
  const next = async () => (await lines.next()).value as string | undefined;
  try {
    const url = `http://127.0.0.1:${await next()}/hook`;
    const video = await stage.video({ webhook: { url, events: 'endings' }, metadata: { name } }, 'failed');
    await stage.drain();
    return [await next(), (await stage.delivery(video))!.state];
  } finally {
    receiver.kill();
  }
}

const verified = [`verified video.failed ${name}`, 'delivered'];
const refused = ['refused', 'pending'];
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
