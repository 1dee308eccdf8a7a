import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { type AwsCall, AwsCallError } from '../aws-call.ts';
import { type Finding, failure, ok } from './finding.ts';

/** The account and region that are deployed to. */
export interface Account {
  id: string;
  partition: string;
  region: string;
}

/** Checks that the AWS SDK finds a region. @returns undefined as region otherwise */
export async function checkRegion(
  { config }: Pick<CloudFormationClient, 'config'>,
  { AWS_DEFAULT_REGION }: NodeJS.ProcessEnv,
): Promise<{ findings: Finding[]; region?: string }> {
  const region = await config.region().catch(() => undefined);
  if (region) return { region, findings: [ok(`The region is ${region}.`)] };
  return {
    findings: [
      failure(
        AWS_DEFAULT_REGION
          ? `No region is set: AWS_DEFAULT_REGION (${AWS_DEFAULT_REGION}) is read by the AWS CLI, but not by the AWS SDK for JavaScript.`
          : 'No region is set.',
        `export AWS_REGION=${AWS_DEFAULT_REGION || 'eu-central-1'}`,
      ),
    ],
  };
}

/** Checks the credentials. @throws the credential provider's error when there are none */
export async function checkCredentials(
  aws: AwsCall,
  region: string,
): Promise<{ findings: Finding[]; account?: Account }> {
  const body = await aws({ service: 'sts', action: 'GetCallerIdentity', version: '2011-06-15' });
  const [, id] = /<Account>(\d+)<\/Account>/.exec(body) ?? [];
  const [, arn = '', partition = 'aws'] = /<Arn>(arn:([\w-]+):[^<]*)<\/Arn>/.exec(body) ?? [];
  if (!id)
    return {
      findings: [failure('STS does not name an account for the credentials.', 'aws sts get-caller-identity')],
    };
  return {
    account: { id, partition, region },
    findings: [ok(`The credentials are those of ${arn} in account ${id}.`)],
  };
}

/** What the template's rule `CheckBootstrapVersion` requires. */
const minimumBootstrap = 6;

/** Checks the parameter of `cdk bootstrap` that the stack reads. */
export async function checkBootstrap(aws: AwsCall, { id, region }: Account): Promise<Finding[]> {
  const fix = `npx cdk bootstrap aws://${id}/${region}`;
  try {
    const body = await aws({
      service: 'ssm',
      target: 'AmazonSSM.GetParameter',
      input: { Name: '/cdk-bootstrap/hnb659fds/version' },
    });
    const { Parameter } = JSON.parse(body) as { Parameter: { Value: string } };
    return Number(Parameter.Value) >= minimumBootstrap
      ? [ok(`The CDK is bootstrapped (version ${Parameter.Value}).`)]
      : [failure(`The CDK's bootstrap stack has version ${Parameter.Value}; ${minimumBootstrap} is needed.`, fix)];
  } catch (error) {
    if (!(error instanceof AwsCallError) || error.name !== 'ParameterNotFound') throw error;
    return [failure(`The CDK is not bootstrapped in account ${id} and region ${region}.`, fix)];
  }
}
