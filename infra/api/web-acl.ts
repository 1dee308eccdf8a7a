import { Stack } from 'aws-cdk-lib';
import { CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import type { Construct } from 'constructs';
import type { Configuration } from '../config.ts';
import { acknowledge, justify } from '../functions/acknowledge.ts';

/** A stage of the API, which a web ACL can protect. */
interface ProtectedStage extends Construct {
  readonly stageArn: string;
}

/**
 * Adds a web ACL to a stage if it is configured. The ACL blocks an IP address while it exceeds the limit. Other rules, such as
 * lists of known attackers, can be added to the ACL by hand.
 */
export function protectStage(scope: Construct, stage: ProtectedStage, waf: Configuration['waf']): void {
  if (!waf) {
    acknowledge(
      stage,
      'APIG3',
      'Only /health, the OpenAPI document, the static pages, links with a signed token, OPTIONS and 405 responses are reachable without credentials, and the stage and the model queues are throttled. A web ACL costs more than this API itself; the setting waf adds one.',
    );
    return;
  }
  const { stackName } = Stack.of(scope);
  const visibility = (metricName: string) => ({
    cloudWatchMetricsEnabled: true,
    // Samples keep the headers and query of a request, which contain API keys and tokens.
    sampledRequestsEnabled: false,
    metricName,
  });
  const acl = new CfnWebACL(scope, 'WebAcl', {
    description: 'Blocks IP addresses that send too many requests to firstframe',
    scope: 'REGIONAL',
    defaultAction: { allow: {} },
    visibilityConfig: visibility(stackName),
    rules: [
      {
        name: 'RequestsPerAddress',
        priority: 0,
        action: { block: {} },
        statement: {
          rateBasedStatement: {
            aggregateKeyType: 'IP',
            evaluationWindowSec: 300,
            limit: waf.requestsPer5Minutes,
          },
        },
        visibilityConfig: visibility(`${stackName}-requests-per-address`),
      },
    ],
  });
  justify(
    acl,
    'CKV_AWS_192',
    'The functions run Node.js without Log4j. The rule group that looks for it would also block prompts that contain such text.',
  );
  new CfnWebACLAssociation(scope, 'WebAclAssociation', { resourceArn: stage.stageArn, webAclArn: acl.attrArn });
}
