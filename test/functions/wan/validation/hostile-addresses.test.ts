import { describe, expect, test } from 'vitest';
import { ProblemError } from '../../../../functions/shared/problem.ts';
import { checkBody } from '../../../../functions/submissions/check-body.ts';
import { aDeployment } from '../../../support/videos.ts';

/** Private and local addresses, in every notation that a parser accepts. */
const addresses = [
  ...['http://169.254.169.254/latest/meta-data', 'http://[fd00:ec2::254]/latest/meta-data', 'http://100.100.100.200/'],
  ...['https://10.0.0.1/', 'https://172.16.0.1/', 'https://192.168.0.1/', 'https://127.0.0.1/', 'https://[::1]/'],
  ...['http://[::ffff:169.254.169.254]/', 'http://[::ffff:a9fe:a9fe]/', 'http://[64:ff9b::a9fe:a9fe]/'],
  // 169.254.169.254 in decimal, hexadecimal, octal and mixed notation.
  ...['http://2852039166/', 'http://0xa9fea9fe/', 'http://025177524776/', 'http://169.16689662/'],
  ...['http://0251.0376.0251.0376/', 'http://0xa9.254.0251.254/', 'http://127.1/', 'http://0/'],
  ...['http://169.254.169.254./', 'http://localhost./', 'http://LOCALHOST/', 'http://１６９.２５４.１６９.２５４/'],
  ...['http://metadata.google.internal/', 'http://instance-data/', 'http://kubernetes.default.svc.cluster.local/'],
  ...['https://user@example.com/', 'https://user:password@example.com/', 'https://example.com@10.0.0.1/'],
  ...['file:///etc/passwd', 'gopher://127.0.0.1:6379/', 'ftp://example.com/a', 's3://firstframe-videos/a/1-1.mp4'],
];

const rules = { trustedOrigins: [], uploadsBucket: 'uploads', owner: 'alice', deployment: aDeployment() };
const model = 'wan2.6-i2v';
const parameters = { resolution: '720P' };

/** Returns pointer and code of each issue of a body. */
function issuesOf(body: object, mode: 'strict' | 'tolerant'): [string, string][] {
  try {
    checkBody(body, { ...rules, mode });
    return [];
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return (error.members.errors ?? []).map(({ pointer, code }) => [pointer, code]);
  }
}

describe.each(['strict', 'tolerant'] as const)('a request in %s mode', (mode) => {
  test.each(addresses)('is refused with %s as image or audio', (address) => {
    const imageInput = { prompt: 'A cat', img_url: address };
    const audioInput = { prompt: 'A cat', img_url: 'https://example.com/cat.png', audio_url: address };
    expect(issuesOf({ model, input: imageInput, parameters }, mode)).toEqual([['/input/img_url', expect.any(String)]]);
    expect(issuesOf({ model, input: audioInput, parameters }, mode)).toEqual([
      ['/input/audio_url', expect.any(String)],
    ]);
  });

  test.each(addresses)('is refused with %s in a list of media', (url) => {
    const types = ['first_frame', 'last_frame', 'driving_audio'];
    for (const [index] of types.entries()) {
      const media = types.map((type, at) => ({ type, url: at === index ? url : `https://example.com/${type}` }));
      expect(issuesOf({ model: 'wan2.7-i2v', input: { media }, parameters }, mode)).toEqual([
        [`/input/media/${index}/url`, expect.any(String)],
      ]);
    }
  });

  test('is accepted with public URLs', () => {
    const input = { prompt: 'A cat', img_url: 'https://example.com/cat.png', audio_url: 'https://example.com/cat.mp3' };
    expect(issuesOf({ model, input, parameters }, mode)).toEqual([]);
  });
});

const input = { prompt: 'A cat', img_url: 'https://example.com/cat.png' };

describe('a webhook', () => {
  const hook = 'https://example.com/hook';
  const webhookOf = (fields: object, mode: 'strict' | 'tolerant' = 'strict', loopbackWebhooks = false) =>
    checkBody({ model, input, parameters, ...fields }, { ...rules, mode, loopbackWebhooks }).request.webhook;

  test.each(['strict', 'tolerant'] as const)('is refused for each private address in %s mode', (mode) => {
    const refused = [...addresses, 'http://example.com/hook', `${hook}?${'x'.repeat(2048)}`, '/hook', 'example.com', 7];
    for (const webhook_url of refused) {
      const issues = issuesOf({ model, input, parameters, webhook_url }, mode);
      expect([webhook_url, issues]).toEqual([webhook_url, [['/webhook_url', expect.any(String)]]]);
    }
  });

  test('is refused without a word of its URL', () => {
    const sent = { model, input, parameters, webhook_url: 'https://secret-user@secret.example/secret-path' };
    expect(() => checkBody(sent, { ...rules, mode: 'strict' })).toThrow(ProblemError);
    try {
      checkBody(sent, { ...rules, mode: 'strict' });
    } catch (error) {
      expect(JSON.stringify((error as ProblemError).members)).not.toContain('secret');
    }
  });

  test('is refused on a trusted origin, which is only for media', () => {
    const trusted = { ...rules, mode: 'strict', trustedOrigins: ['http://127.0.0.1:4401'] } as const;
    const sent = { model, input, parameters, webhook_url: 'http://127.0.0.1:4401/hook' };
    expect(() => checkBody(sent, trusted)).toThrow(ProblemError);
  });

  test('may be on this computer where the deployment allows it', () => {
    for (const webhook_url of ['http://127.0.0.1:9/x', 'https://localhost/x', 'http://localhost:9/x'])
      expect(webhookOf({ webhook_url }, 'strict', true)).toEqual({ url: webhook_url, events: 'endings' });
    for (const webhook_url of ['http://127.0.0.2/', 'http://169.254.169.254/', 'http://[::1]/', 'http://example.com/'])
      expect(() => webhookOf({ webhook_url }, 'strict', true)).toThrow(ProblemError);
  });

  test('gets endings by default, and all events if the request asks for them', () => {
    for (const mode of ['strict', 'tolerant'] as const) {
      expect(webhookOf({ webhook_url: hook }, mode)).toEqual({ url: hook, events: 'endings' });
      expect(webhookOf({ webhook_url: hook, webhook_events: 'all' }, mode)).toEqual({ url: hook, events: 'all' });
    }
    expect(issuesOf({ model, input, parameters, webhook_url: hook, webhook_events: 'some' }, 'strict')).toEqual([
      ['/webhook_events', 'invalid_value'],
    ]);
  });

  test('is missing for webhook_events without a URL; in tolerant mode they are ignored', () => {
    const sent = { model, input, parameters, webhook_events: 'all' };
    expect(issuesOf(sent, 'strict')).toEqual([['/webhook_events', 'webhook_url_missing']]);
    const { request, warnings } = checkBody(sent, { ...rules, mode: 'tolerant' });
    expect(request.webhook).toBeUndefined();
    expect(warnings.map(({ pointer }) => pointer)).toEqual(['/webhook_events']);
  });

  test('is none if its URL is empty', () => {
    expect(webhookOf({ webhook_url: '' })).toBeUndefined();
    expect(webhookOf({ webhook_url: null }, 'tolerant')).toBeUndefined();
  });
});
