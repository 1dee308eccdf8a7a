import { ExecutionAlreadyExists, type StartExecutionCommand } from '@aws-sdk/client-sfn';
import { expect, test } from 'vitest';
import { startWait } from '../../../functions/drops/drop-wait.ts';

const stateMachineArn = 'arn:aws:states:us-east-1:0:stateMachine:wait';
const object = { size: 5, key: 'drop/a b+猫.png', bucket: 'uploads', version_id: 'v1' };

function machine(answer: () => Promise<unknown>) {
  const sent: StartExecutionCommand['input'][] = [];
  const send = (command: StartExecutionCommand) => {
    sent.push(command.input);
    return answer();
  };
  return {
    sent,
    address: { client: { send } as unknown as Parameters<typeof startWait>[0]['client'], stateMachineArn },
  };
}

test('the execution is named by the video and holds the object, so that an image waits once', async () => {
  const { sent, address } = machine(async () => ({}));
  await startWait(address, 'an-id', object);
  expect(sent).toEqual([
    {
      stateMachineArn,
      name: 'drop-an-id',
      input: '{"bucket":"uploads","key":"drop/a b+猫.png","version_id":"v1","size":5}',
    },
  ]);
});

test('starting it again is no error, and any other failure is', async () => {
  const exists = new ExecutionAlreadyExists({ message: 'it does', $metadata: {} });
  await startWait(machine(() => Promise.reject(exists)).address, 'an-id', object);
  const away = machine(() => Promise.reject(new Error('away')));
  await expect(startWait(away.address, 'an-id', object)).rejects.toThrow('away');
});
