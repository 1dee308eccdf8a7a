import { type CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { type Finding, failure, ok, warning } from './finding.ts';

/** More messages than a burst of drops or of webhooks leaves for long. */
const BACKLOG = 1000;

/** Reports dead letters and long queues of the stack. */
export async function checkMessages(
  { cloudFormation, sqs }: { cloudFormation: CloudFormationClient; sqs: Pick<SQSClient, 'send'> },
  stackName: string,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  let queues = 0;
  for await (const page of paginateListStackResources({ client: cloudFormation }, { StackName: stackName }))
    for (const { ResourceType, LogicalResourceId: name = '', PhysicalResourceId } of page.StackResourceSummaries ??
      []) {
      if (ResourceType !== 'AWS::SQS::Queue' || !PhysicalResourceId) continue;
      queues += 1;
      const { Attributes } = await sqs.send(
        new GetQueueAttributesCommand({
          QueueUrl: PhysicalResourceId,
          AttributeNames: ['ApproximateNumberOfMessages'],
        }),
      );
      const messages = Number(Attributes?.ApproximateNumberOfMessages ?? 0);
      if (/DeadLetters/.test(name) && messages > 0)
        findings.push(
          failure(
            `${name} has ${messages} dead letters.`,
            `docs/runbook.md#dead-letters: aws sqs receive-message --message-attribute-names All --queue-url ${PhysicalResourceId}`,
          ),
        );
      else if (messages > BACKLOG)
        findings.push(
          warning(
            `${messages} messages are due in ${name}.`,
            "See the log of its function, whether its event source mapping is enabled, and the account's concurrency.",
          ),
        );
    }
  return findings.length > 0 ? findings : [ok(`The ${queues} queues have no dead letters and no long backlog.`)];
}
