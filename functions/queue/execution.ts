import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  type SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';

export interface Workflow {
  client: Pick<SFNClient, 'send'>;
  stateMachineArn: string;
}

/** An execution's name identifies video and run. Step Functions reserves a name for 90 days, so a run starts at most once. */
const executionName = ({ id, run }: WorkflowInput): string => `${id}-${run}`;

/** Returns the video and run in an execution's name; undefined for a name of another form. */
export function readExecutionName(name: string): WorkflowInput | undefined {
  const parts = /^([0-9a-f-]{36})-(\d+)$/.exec(name);
  return parts ? { id: parts[1]!, run: Number(parts[2]) } : undefined;
}

/** Starts the execution of a video's run. Idempotent. */
export async function startWorkflow(workflow: Workflow, input: WorkflowInput): Promise<void> {
  try {
    await workflow.client.send(
      new StartExecutionCommand({
        stateMachineArn: workflow.stateMachineArn,
        name: executionName(input),
        input: JSON.stringify({ id: input.id, run: input.run } satisfies WorkflowInput),
      }),
    );
  } catch (error) {
    if (!(error instanceof ExecutionAlreadyExists)) throw error;
  }
}

/** Returns the state of a run. `missing`: it was never started, or ended more than 90 days ago. */
export async function runState(workflow: Workflow, input: WorkflowInput): Promise<'running' | 'ended' | 'missing'> {
  const executionArn = `${workflow.stateMachineArn.replace(':stateMachine:', ':execution:')}:${executionName(input)}`;
  try {
    const { status } = await workflow.client.send(new DescribeExecutionCommand({ executionArn }));
    return status === 'RUNNING' ? 'running' : 'ended';
  } catch (error) {
    if (error instanceof ExecutionDoesNotExist) return 'missing';
    throw error;
  }
}

/** The input of an execution. */
export interface WorkflowInput {
  /** The video's id. */
  id: string;
  /** Number of the run: 1, 2, … The execution's name is `<id>-<run>`. */
  run: number;
}
