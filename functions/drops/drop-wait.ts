import { ExecutionAlreadyExists, type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { DroppedObject } from './dropped-object.ts';

/** What the drop function is told when an image's time to wait for a sidecar is over. */
export interface WaitedDrop {
  waited: true;
  object: DroppedObject;
}

/**
 * How a client that starts waits is set up. Step Functions starts 1,300 executions at once and then 300 a second, in smaller regions 800
 * and 150: of thousands of images that are dropped at once, many are told to come again. The SDK's three tries last a second; these
 * last half a minute, in which a thousand at once get through.
 */
export const PATIENCE = { maxAttempts: 8 } as const;

/**
 * Has a dropped image taken when its time to wait for a sidecar is over. The execution's name tells the image's version and stays
 * taken for 90 days, so an event that comes twice waits once.
 */
export async function startWait(
  { client, stateMachineArn }: { client: Pick<SFNClient, 'send'>; stateMachineArn: string },
  id: string,
  { bucket, key, version_id, size }: DroppedObject,
): Promise<void> {
  const object: DroppedObject = { bucket, key, ...(version_id ? { version_id } : {}), size };
  try {
    await client.send(
      new StartExecutionCommand({ stateMachineArn, name: `drop-${id}`, input: JSON.stringify(object) }),
    );
  } catch (error) {
    if (!(error instanceof ExecutionAlreadyExists)) throw error;
  }
}
