import { type RemovalPolicy, SecretValue } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { UNSET_SECRET } from '../../functions/shared/environment.ts';
import { acknowledge } from './acknowledge.ts';
import { pinLogicalId } from './logical-id.ts';

/**
 * The secret for Wan's API key: its whole value is the key. It is set once after the first deployment; later deployments leave
 * it alone, since CloudFormation writes a value again only when the template's own changes.
 */
export function wanApiKey(scope: Construct, removalPolicy: RemovalPolicy): Secret {
  const secret = new Secret(scope, 'WanApiKey', {
    description: "Wan's API key (Alibaba Cloud Model Studio), of the region that this deployment uses",
    secretStringValue: SecretValue.unsafePlainText(UNSET_SECRET),
    removalPolicy,
  });
  pinLogicalId(secret, 'WanApiKey');
  acknowledge(
    secret,
    'SMG4',
    'Model Studio has no interface to make or revoke keys, so no function can rotate this one; it is replaced by hand, and read anew without a deployment.',
  );
  return secret;
}
