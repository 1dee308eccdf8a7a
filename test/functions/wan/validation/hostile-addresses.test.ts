import { describe, expect, test } from 'vitest';
import { ProblemError } from '../../../../functions/shared/problem.ts';
import { checkBody } from '../../../../functions/submissions/check-body.ts';
import { aDeployment, firstFrame } from '../../../support/videos.ts';

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

test.each([...addresses, 'https://example.com/hook', '', null, 7])('refuses the webhook %j', (webhook_url) => {
  const issues = issuesOf({ model, input, parameters, webhook_url }, 'strict');
  expect(issues).toContainEqual(['/webhook_url', 'not_offered']);
});

test('drops a webhook in tolerant mode', () => {
  const { request, warnings } = checkBody(
    { model, input, parameters, webhook_url: 'https://example.com/hook' },
    { ...rules, mode: 'tolerant' },
  );
  expect(warnings).toContainEqual(expect.objectContaining({ pointer: '/webhook_url' }));
  expect(request.input).toEqual({ prompt: input.prompt, media: firstFrame(input.img_url) });
});
