import { canceledVideo, failedVideo, waitingVideo } from './examples.ts';
import { jsonResponse } from './operation.ts';
import { ifMatch, videoIdInPath } from './parameters.ts';
import { nativeOperations } from './problems.ts';
import { video } from './videos.ts';

const underWay = ['video_is_starting', 'video_is_running', 'video_is_archiving'] as const;

export const operations = nativeOperations('Actions', [
  {
    method: 'post',
    path: '/videos/{id}/cancel',
    id: 'cancelVideo',
    summary: 'Cancel a video that Wan has not begun',
    description:
      'Nothing is billed for it. Canceling twice is canceling once. Once Wan is at it, the answer is a 409 that says what it will cost.',
    parameters: [videoIdInPath, ifMatch],
    answers: {
      200: jsonResponse('The canceled video.', video, {
        canceled: { summary: 'It is canceled', value: canceledVideo },
      }),
    },
    problems: ['video_not_found', ...underWay, 'video_has_ended', 'precondition_failed', 'wan_unavailable'],
  },
  {
    method: 'post',
    path: '/videos/{id}/retry',
    id: 'retryVideo',
    summary: 'Take a failed or canceled video up again',
    description:
      'While Wan still has it, or is at it, nothing is paid: it is fetched, or waited for. Otherwise it is made anew; where the last attempt may have been billed, a warning on the video says so. One that is under way already stays as it is.',
    parameters: [videoIdInPath, ifMatch],
    answers: {
      202: jsonResponse(
        'The video is under way.',
        video,
        {
          queued: { summary: 'It waits for its turn again', value: waitingVideo },
          failed: { summary: 'It has failed again meanwhile', value: failedVideo },
        },
        { sometimes: ['Retry-After'] },
      ),
    },
    problems: [
      'spending_limit_reached',
      'video_not_found',
      'video_has_succeeded',
      'video_not_retryable',
      'precondition_failed',
      'wan_unavailable',
    ],
  },
  {
    method: 'delete',
    path: '/videos/{id}',
    id: 'deleteVideo',
    summary: 'Delete a video and its files, in every version',
    description:
      'A waiting video is canceled by it. Deleting twice is deleting once, for 30 days; a late repetition of the request that made it answers 410 and pays nothing.',
    parameters: [videoIdInPath, ifMatch],
    answers: { 204: { description: 'It is gone.' } },
    problems: ['video_not_found', ...underWay, 'precondition_failed'],
  },
]);
