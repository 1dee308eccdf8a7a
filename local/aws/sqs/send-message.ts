import { createHash } from 'node:crypto';
import { ServiceError } from '../service-error.ts';
import type { Queues } from './queues.ts';

const largestBytes = 1_048_576;
const largestDelaySeconds = 900;
/** SQS refuses what XML cannot hold. */
const forbidden = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u;

/**
 * SQS's SendMessage, to a standard queue and without attributes.
 * @throws ServiceError
 */
export async function sendMessage(
  input: Record<string, unknown>,
  queues: Pick<Queues, 'arnOf' | 'send'>,
): Promise<{ MessageId: string; MD5OfMessageBody: string }> {
  const { QueueUrl, MessageBody, DelaySeconds = 0, ...others } = input;
  const arn = queues.arnOf(String(QueueUrl));
  if (arn === undefined) throw new ServiceError('QueueDoesNotExist', 400, 'The specified queue does not exist.');
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw invalid(`The local SQS does not know the parameter ${unknown}.`);
  if (typeof MessageBody !== 'string' || MessageBody === '')
    throw invalid('MessageBody must be a text that is not empty.');
  if (Buffer.byteLength(MessageBody) > largestBytes)
    throw invalid(`Message must be shorter than ${largestBytes} bytes.`);
  if (forbidden.test(MessageBody))
    throw new ServiceError('InvalidMessageContents', 400, 'Invalid characters found in the message body.');
  const delay = Number(DelaySeconds);
  if (!Number.isInteger(DelaySeconds) || delay < 0 || delay > largestDelaySeconds)
    throw invalid(
      `Value ${String(DelaySeconds)} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= ${largestDelaySeconds}.`,
    );
  return { MessageId: await queues.send(arn, MessageBody, {}, delay), MD5OfMessageBody: md5(MessageBody) };
}

/** As the SDK checks it. */
export const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

const invalid = (why: string): ServiceError => new ServiceError('InvalidParameterValue', 400, why);
