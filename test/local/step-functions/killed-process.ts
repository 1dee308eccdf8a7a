/**
 * A process that runs executions and kills itself. Arguments: directory, how many executions to start, and at which of
 * the moments that it passes it dies (0: never). What it saw goes to `seen.jsonl`, line by line.
 */
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { createStepFunctions } from '../../../local/aws/step-functions/step-functions.ts';

const [directory = '', executions = '0', lastMoment = '0'] = process.argv.slice(2);
const arn = 'arn:aws:states:us-east-1:000000000000:stateMachine:workflow';
const task = (name: string) => ({
  Type: 'Task',
  Resource: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
  Parameters: { 'execution.$': '$$.Execution.Name', 'past.$': '$.past' },
});
const definition = {
  StartAt: 'One',
  States: {
    One: { ...task('one'), Next: 'Pause' },
    Pause: { Type: 'Wait', Seconds: 0, Next: 'Two' },
    Two: { ...task('two'), Next: 'Which' },
    Which: { Type: 'Choice', Choices: [{ Variable: '$.past', IsPresent: true, Next: 'Three' }], Default: 'Lost' },
    Three: { ...task('three'), Next: 'Four' },
    Four: { ...task('four'), End: true },
    Lost: { Type: 'Fail' },
  },
};

let moments = 0;
function moment(): void {
  moments += 1;
  if (moments === Number(lastMoment)) process.kill(process.pid, 'SIGKILL');
}
const saw = (line: object) =>
  appendFileSync(path.join(directory, 'seen.jsonl'), `${JSON.stringify({ pid: process.pid, ...line })}\n`);

const stepFunctions = createStepFunctions({
  directory,
  now: () => {
    moment();
    return Date.now();
  },
  stateMachines: [{ arn, name: 'workflow', definition, type: 'STANDARD' }],
  async invoke(functionArn, payload) {
    const { execution, past } = payload as { execution: string; past: string[] };
    const state = functionArn.split(':').at(-1) ?? '';
    saw({ begin: state, execution });
    moment();
    await setTimeout(1);
    saw({ end: state, execution });
    moment();
    return { past: [...past, state] };
  },
  async onStatusChange({ name, status, output }) {
    moment();
    saw({ status, execution: name, output });
    await setTimeout(1);
    moment();
  },
});
await stepFunctions.resume();
for (let index = 0; index < Number(executions); index += 1) {
  await stepFunctions.handle('StartExecution', { stateMachineArn: arn, name: `n${index}`, input: '{"past":[]}' });
  saw({ answered: `n${index}` });
  moment();
}
await stepFunctions.idle();
saw({ idle: true });
await stepFunctions.close();
