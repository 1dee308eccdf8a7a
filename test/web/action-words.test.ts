import { describe, expect, test } from 'vitest';
import { statuses } from '../../functions/video/record.ts';
import { explainEnding, failureCodes } from '../../functions/wan/failures.ts';
import { deleteQuestion, hintInWords, isCancelable, isRetryable, retryQuestion } from '../../web/action-words.ts';
import type { VideoView } from '../../web/api.ts';

const video = (members: Partial<VideoView>): VideoView => members as VideoView;
const price = { amount: 0.18, currency: 'USD', unit_price: 0.036, seconds: 5, as_of: '2025-12-29' } as const;

test('what is under way can be canceled until it is made, and what failed or was canceled can be retried', () => {
  expect(statuses.filter((status) => isCancelable({ status }))).toEqual(['queued', 'submitting', 'running']);
  expect(statuses.filter((status) => isRetryable({ status }))).toEqual(['failed', 'canceled']);
});

describe('before a retry', () => {
  test.each(failureCodes.map((code) => explainEnding(code)))(
    'of $code it is asked whether to pay twice exactly if the last attempt may be billed',
    (error) => {
      const question = retryQuestion(video({ error, estimated_cost: price }));
      expect(question?.includes('billed') ?? false).toBe(error.billed);
      if (error.billed) expect(question).toContain('$0.18');
    },
  );

  test('it is said when it will hardly help', () => {
    expect(retryQuestion(video({ error: explainEnding('content_refused') }))).toContain('probably fail again');
  });

  test('nothing is asked where there is nothing to consider', () => {
    expect(retryQuestion(video({ error: explainEnding('canceled') }))).toBeUndefined();
  });
});

test('who deletes what was paid for is told that it may still be got', () => {
  expect(deleteQuestion(video({ status: 'failed', error: explainEnding('video_broken') }))).toContain('paid for');
  expect(deleteQuestion(video({ status: 'failed', error: explainEnding('content_refused') }))).not.toContain(
    'paid for',
  );
});

test.each(failureCodes)('the hint for %s names the button, where it names the route of it', (code) => {
  const { hint } = explainEnding(code);
  expect(hintInWords(hint)).not.toContain('POST /videos/{id}/retry');
  expect(hintInWords(hint).includes('“Retry”')).toBe(hint.includes('/retry'));
});
