import { createHash } from 'node:crypto';
import { ServiceError } from '../service-error.ts';
import type { Queues } from './queues.ts';

const maxBytes = 1_048_576;
const maxDelaySeconds = 900;
/** SQS rejects characters that XML cannot contain. */
const invalidCharacters = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u;

/**
 * SQS's SendMessage, for standard queues and without message attributes.
 * @throws ServiceError
 */
export async function sendMessage(
  input: Record<string, unknown>,
  queues: Pick<Queues, 'arnOf' | 'send'>,
): Promise<{ MessageId: string; MD5OfMessageBody: string }> {
  const { QueueUrl, MessageBody, DelaySeconds = 0, ...others } = input;
  const arn = queues.arnOf(String(QueueUrl));
  if (arn === undefined) throw new ServiceError('QueueDoesNotExist', 'The specified queue does not exist.');
  const [unsupported] = Object.keys(others);
  if (unsupported !== undefined)
    throw new ServiceError('InvalidParameterValue', `The local SQS does not support the parameter ${unsupported}.`);
  if (typeof MessageBody !== 'string' || MessageBody === '')
    throw new ServiceError('InvalidParameterValue', 'MessageBody must be a non-empty string.');
  if (Buffer.byteLength(MessageBody) > maxBytes)
    throw new ServiceError('InvalidParameterValue', `Message must be shorter than ${maxBytes} bytes.`);
  if (invalidCharacters.test(MessageBody))
    throw new ServiceError('InvalidMessageContents', 'Invalid characters found in the message body.');
  const delay = Number(DelaySeconds);
  if (!Number.isInteger(DelaySeconds) || delay < 0 || delay > maxDelaySeconds)
    throw new ServiceError(
      'InvalidParameterValue',
      `Value ${String(DelaySeconds)} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= ${maxDelaySeconds}.`,
    );
  return { MessageId: await queues.send(arn, MessageBody, {}, delay), MD5OfMessageBody: md5(MessageBody) };
}

const maxEntries = 10;

/**
 * SQS's SendMessageBatch. An invalid message fails alone, as in SQS.
 * @throws ServiceError
 */
export async function sendMessageBatch(
  { QueueUrl, Entries, ...others }: Record<string, unknown>,
  queues: Pick<Queues, 'arnOf' | 'send'>,
): Promise<{ Successful: object[]; Failed: object[] }> {
  const [unsupported] = Object.keys(others);
  if (unsupported !== undefined)
    throw new ServiceError('InvalidParameterValue', `The local SQS does not support the parameter ${unsupported}.`);
  const entries = (Array.isArray(Entries) ? Entries : []) as { Id: string }[];
  if (entries.length === 0) throw new ServiceError('EmptyBatchRequest', 'There should be at least one entry.');
  if (entries.length > maxEntries)
    throw new ServiceError('TooManyEntriesInBatchRequest', `Maximum number of entries per request are ${maxEntries}.`);
  if (new Set(entries.map(({ Id }) => Id)).size < entries.length)
    throw new ServiceError('BatchEntryIdsNotDistinct', 'Two or more batch entries have the same Id.');
  if (queues.arnOf(String(QueueUrl)) === undefined)
    throw new ServiceError('QueueDoesNotExist', 'The specified queue does not exist.');
  const [Successful, Failed]: [object[], object[]] = [[], []];
  for (const { Id, ...message } of entries) {
    try {
      Successful.push({ Id, ...(await sendMessage({ QueueUrl, ...message }, queues)) });
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      Failed.push({ Id, Code: error.name, Message: error.message, SenderFault: true });
    }
  }
  return { Successful, Failed };
}

/** The SDK verifies this digest. */
export const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
