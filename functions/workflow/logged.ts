import type { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import { WorkflowError } from '../shared/errors.ts';
import { describeError, inContext } from '../shared/logging.ts';
import type { WorkflowInput } from './payload.ts';

/**
 * A step of the workflow whose lines all carry the video's id and the run, and which says by what error it ended before Step Functions
 * decides about it: an error that the state machine knows by name is a warning, any other a surprise with its stack.
 */
export const logged = <Input extends WorkflowInput, Output>(
  logger: Pick<Logger, 'addContext' | 'appendKeys' | 'resetKeys' | 'warn' | 'error'>,
  step: (input: Input) => Promise<Output>,
): ((input: Input, context: Context) => Promise<Output>) =>
  inContext(
    logger,
    async (input: Input) => {
      try {
        return await step(input);
      } catch (error) {
        if (error instanceof WorkflowError) logger.warn('The step ends by a name.', { code: error.name });
        else logger.error('The step fails.', describeError(error));
        throw error;
      }
    },
    ({ id, run }) => ({ video_id: id, run }),
  );
