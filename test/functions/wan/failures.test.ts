import { describe, expect, test } from 'vitest';
import { findModel } from '../../../functions/wan/catalogue.ts';
import { provesNothingSent } from '../../../functions/wan/client/http.ts';
import { explainEnding, explainFailure, failureCodes } from '../../../functions/wan/failures.ts';
import { isSamePrompt } from '../../../functions/wan/prompt.ts';

describe('explainFailure', () => {
  test.each([
    ['InvalidParameter', 'The size is not match 1', 'task', 'invalid_request', false],
    ['InvalidParameter', 'url error, please check url！', 'submit', 'image_refused', false],
    ['InvalidURL', '', 'task', 'image_refused', false],
    ['InvalidURL.Timeout', '', 'task', 'image_unreachable', true],
    ['InvalidParameter.DataInspection', '', 'submit', 'image_unreachable', true],
    ['DataInspectionFailed', '', 'task', 'content_refused', false],
    ['IPInfringementSuspect', '', 'submit', 'ip_infringement', false],
    ['ModelNotFound', '', 'submit', 'model_unavailable', false],
    ['InternalError', '', 'task', 'generation_failed', true],
    ['InternalError', '', 'submit', 'service_unavailable', true],
    ['InternalError.Timeout', '', 'task', 'generation_timed_out', true],
    ['ModelServiceFailed', '', 'task', 'generation_failed', true],
    ['Throttling.RateQuota', '', 'submit', 'rate_limited', true],
    ['Arrearage', '', 'submit', 'account_on_hold', true],
    ['UnknownCode', '', 'task', 'generation_failed', true],
    ['UnknownCode', '', 'submit', 'invalid_request', false],
    [undefined, undefined, 'task', 'generation_failed', true],
  ] as const)('maps %s "%s" of a %s to %s', (code, message, stage, ours, retryable) => {
    const failure = explainFailure({ code, message, request_id: 'r-1', stage });
    expect(failure).toMatchObject({ code: ours, retryable, billed: false, request_id: 'r-1' });
    if (code) expect(failure.message).toContain(code);
    if (message) expect(failure.message).toContain(message);
  });

  test("removes URLs, data and keys from Wan's message", () => {
    const message = `x https://a.example/?Signature=secret oss://b/secret data:image/png;base64,secret Bearer secret sk-secret\n${'y'.repeat(5000)}`;
    const failure = explainFailure({ code: 'InvalidParameter', message, stage: 'task' });
    expect(failure.message).not.toContain('secret');
    expect(failure.message.length).toBeLessThan(500);
  });

  test.each(failureCodes)('%s has a message and a hint', (code) => {
    const ending = explainEnding(code);
    expect(ending.message).toMatch(/^[A-Zf].*\.$/);
    expect(ending.hint).toMatch(/\.$/);
    expect(ending).not.toHaveProperty('request_id');
  });

  test('names the retry route in the hint of every retryable code', () => {
    const inconsistent = failureCodes
      .map((code) => explainEnding(code))
      .filter(({ retryable, hint }) => retryable !== hint.includes('/retry'));
    expect(inconsistent.map(({ code }) => code)).toEqual([]);
  });

  test('marks the codes that may have been billed', () => {
    const charged = failureCodes.filter((code) => explainEnding(code).billed);
    expect(charged).toEqual([
      'submission_uncertain',
      'task_expired',
      'deadline_exceeded',
      'video_lost',
      'video_broken',
    ]);
  });
});

describe('provesNothingSent', () => {
  const failed = (cause: object) => new TypeError('fetch failed', { cause });
  const socketError = (code: string, more: object = {}) => Object.assign(new Error('x'), { code, ...more });

  test.each([
    [socketError('ECONNREFUSED', { syscall: 'connect' })],
    [socketError('ENOTFOUND')],
    [socketError('EAI_AGAIN')],
    [socketError('UND_ERR_CONNECT_TIMEOUT')],
    [socketError('ETIMEDOUT', { syscall: 'connect' })],
    [socketError('EHOSTUNREACH', { syscall: 'connect' })],
    [socketError('CERT_HAS_EXPIRED')],
    [socketError('ERR_TLS_CERT_ALTNAME_INVALID')],
    [new AggregateError([socketError('ECONNREFUSED'), socketError('ENETUNREACH', { syscall: 'connect' })])],
    [
      Object.assign(new Error('Client network socket disconnected before secure TLS connection was established'), {
        code: 'ECONNRESET',
      }),
    ],
  ])('%o proves it', (cause) => {
    expect(provesNothingSent(failed(cause))).toBe(true);
  });

  test.each([
    [socketError('ECONNRESET', { syscall: 'read' })],
    [socketError('EPIPE', { syscall: 'write' })],
    [socketError('ETIMEDOUT', { syscall: 'read' })],
    [socketError('EHOSTUNREACH', { syscall: 'read' })],
    [socketError('UND_ERR_SOCKET')],
    [socketError('UND_ERR_HEADERS_TIMEOUT')],
    [socketError('UND_ERR_BODY_TIMEOUT')],
    [socketError('ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC')],
    [new AggregateError([])],
    [new AggregateError([socketError('ECONNREFUSED'), socketError('ECONNRESET')])],
    [new Error('x')],
    [{}],
  ])('%o does not prove it', (cause) => {
    expect(provesNothingSent(failed(cause))).toBe(false);
  });

  test.each([undefined, null, 'text', 5, new Error('x')])('%o, not an error of fetch, does not prove it', (error) => {
    expect(provesNothingSent(error)).toBe(false);
  });
});

describe('isSamePrompt', () => {
  const long = '🐈'.repeat(2000);
  test.each([
    ['a cat', 'a cat', true],
    ['a cat ', 'a cat', true],
    [undefined, '', true],
    [undefined, undefined, true],
    [long, long, true],
    [long, '🐈'.repeat(1500), true],
    [long, '🐈'.repeat(1499), false],
    ['a cat', 'a ca', false],
    ['a cat', '', false],
    ['a cat', undefined, false],
    [undefined, 'a cat', false],
  ])('%#', (sent, reported, same) => {
    expect(isSamePrompt(findModel('wan2.6-i2v'), sent, reported)).toBe(same);
  });
});
