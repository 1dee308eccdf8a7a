import { CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import type { Construct } from 'constructs';
import type { Configuration } from '../config.ts';
import { acknowledge } from '../functions/acknowledge.ts';

/** A stage of the API: what a web ACL stands before. */
interface ProtectedStage extends Construct {
  readonly stageArn: string;
}

/**
 * A web ACL before a stage, when the configuration asks for one: an address that sends more than its share is refused until it
 * sends less. Whatever else an account's rules look for, such as lists of known attackers, can be added to the ACL by hand.
 */
export function protectStage(scope: Construct, stage: ProtectedStage, waf: Configuration['waf']): void {
  if (!waf) {
    acknowledge(
      stage,
      'APIG3',
      'Nothing but /health, the description of the API and the page of the console is reached without credentials, and stage and lanes are throttled. A web ACL costs more than this API does: the setting waf adds one.',
    );
    return;
  }
  const watched = (metricName: string) => ({
    cloudWatchMetricsEnabled: true,
    sampledRequestsEnabled: true,
    metricName,
  });
  const acl = new CfnWebACL(scope, 'WebAcl', {
    description: 'Bars addresses that ask firstframe too often',
    scope: 'REGIONAL',
    defaultAction: { allow: {} },
    visibilityConfig: watched('firstframe'),
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
        visibilityConfig: watched('firstframe-requests-per-address'),
      },
    ],
  });
  new CfnWebACLAssociation(scope, 'WebAclAssociation', { resourceArn: stage.stageArn, webAclArn: acl.attrArn });
}
