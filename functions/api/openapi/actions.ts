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
    summary: 'Cancel a video that Wan has not started',
    description: 'Nothing is billed. Idempotent. Once Wan generates the video, the response is a 409 with its cost.',
    parameters: [videoIdInPath, ifMatch],
    responses: {
      200: jsonResponse('The canceled video.', video, {
        canceled: { summary: 'Canceled', value: canceledVideo },
      }),
    },
    problems: ['video_not_found', ...underWay, 'video_has_ended', 'precondition_failed', 'wan_unavailable'],
  },
  {
    method: 'post',
    path: '/videos/{id}/retry',
    id: 'retryVideo',
    summary: 'Retry a failed or canceled video',
    description:
      'If Wan still has the finished video or its running task, that one is used and nothing is paid. Otherwise a new attempt starts; if the last one may have been billed, the video gets a warning. A video in progress is returned unchanged.',
    parameters: [videoIdInPath, ifMatch],
    responses: {
      202: jsonResponse(
        'The video is in progress.',
        video,
        {
          queued: { summary: 'Queued again', value: waitingVideo },
          failed: { summary: 'Failed again', value: failedVideo },
        },
        { optionalHeaders: ['Retry-After'] },
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
    summary: 'Delete a video and every version of its files',
    description:
      'Cancels a queued video. Idempotent for 30 days, in which a repetition of the request that created the video gets a 410 and pays nothing.',
    parameters: [videoIdInPath, ifMatch],
    responses: { 204: { description: 'The video is deleted.' } },
    problems: ['video_not_found', ...underWay, 'precondition_failed'],
  },
]);
