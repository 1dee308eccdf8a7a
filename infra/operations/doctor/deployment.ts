import { type CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { type Finding, failure, ok } from './finding.ts';

/** Outputs of a deployed stack. */
export interface Deployment {
  api_url: string;
  uploads_bucket: string;
  videos_bucket: string;
  table: string;
  secret: string;
  /** The secret from which those of webhooks are derived. */
  webhook_secret: string;
  /** Undefined for the stack of `npm start`. */
  state_machine?: string;
}

/** Returns the stack of `npm start`, which has fixed names. */
export const localDeployment = (api_url: string): Deployment => ({
  api_url,
  uploads_bucket: 'firstframe-uploads',
  videos_bucket: 'firstframe-videos',
  table: 'firstframe-videos',
  secret: 'firstframe-wan-api-key',
  webhook_secret: 'firstframe-webhook-key',
});

/** Finds a stack in CloudFormation. @returns no deployment if it does not exist or lacks outputs */
export async function findDeployment(
  cloudFormation: Pick<CloudFormationClient, 'send'>,
  stackName: string,
): Promise<{ findings: Finding[]; deployment?: Deployment }> {
  const { Stacks = [] } = await cloudFormation
    .send(new DescribeStacksCommand({ StackName: stackName }))
    .catch((error: Error) => {
      if (error.name === 'ValidationError') return { Stacks: [] };
      throw error;
    });
  const [stack] = Stacks;
  if (!stack) {
    return {
      findings: [
        failure(
          `There is no stack ${stackName} in this account and region.`,
          'Deploy it with npm run deploy, or check AWS_PROFILE and AWS_REGION.',
        ),
      ],
    };
  }
  const outputs = new Map((stack.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue ?? '']));
  const output = (name: string) => outputs.get(name) ?? '';
  const deployment: Deployment = {
    api_url: output('ApiUrl'),
    uploads_bucket: output('UploadsBucketName'),
    videos_bucket: output('VideosBucketName'),
    table: output('TableName'),
    secret: output('WanSecretArn'),
    webhook_secret: output('WebhookSecretArn'),
    state_machine: output('StateMachineArn'),
  };
  const missing = Object.entries(deployment)
    .filter(([, value]) => value === '')
    .map(([name]) => name);
  const { StackStatus = '' } = stack;
  const findings = [
    /^(CREATE|UPDATE)_COMPLETE/.test(StackStatus)
      ? ok(`The stack ${stackName} is deployed (${StackStatus}).`)
      : failure(
          `The stack ${stackName} is ${StackStatus}.`,
          'See its events in CloudFormation, then run npm run deploy again.',
        ),
    ...(missing.length > 0
      ? [failure(`It has no outputs for ${missing.join(', ')}.`, 'Deploy this version with npm run deploy.')]
      : []),
  ];
  return missing.length > 0 ? { findings } : { findings, deployment };
}
