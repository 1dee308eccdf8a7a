import type { VideoView } from './api.ts';
import { hasEnded, moneyInWords } from './words.ts';

/** What can be done to a video, by its status. */
export const isCancelable = (video: Pick<VideoView, 'status'>): boolean =>
  !hasEnded(video) && video.status !== 'archiving';

export const isRetryable = ({ status }: Pick<VideoView, 'status'>): boolean =>
  status === 'failed' || status === 'canceled';

/** What is asked before a video is made again; undefined where there is nothing to consider. */
export function retryQuestion({ error, estimated_cost }: VideoView): string | undefined {
  if (error?.billed) {
    const cost = estimated_cost ? `, at about ${moneyInWords(estimated_cost.amount, estimated_cost.currency)}` : '';
    return `Wan may bill this video twice: the last attempt was billed, or may have been. If Wan still has its video, that one is fetched at no cost; if not, another is made and billed${cost}.`;
  }
  if (error?.retryable === false)
    return 'The same picture and prompt will probably fail again. “Use again” lets you change them first.';
  return undefined;
}

/** What is asked before a video is deleted. */
export function deleteQuestion({ status, error }: VideoView): string {
  if (status === 'succeeded') return 'Delete the video, its first frame and its record for good?';
  const lost = error?.billed ? ' Retry may still get what was paid for.' : '';
  return `Delete its record and its first frame for good?${lost}`;
}

/** What a failure's hint says to somebody who has buttons. */
export const hintInWords = (hint: string): string => hint.replaceAll('POST /videos/{id}/retry', '“Retry”');
