import { RemovalPolicy, SecretValue } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { UNSET_SECRET } from '../../functions/shared/environment.ts';
import { acknowledge, justify } from './acknowledge.ts';
import { pinLogicalId } from './logical-id.ts';

/**
 * Creates the secret for Wan's API key. Its whole value is the key, which the operator sets once after the first deployment. Later
 * deployments keep it, since CloudFormation only updates a value that changes in the template.
 */
export function wanApiKey(scope: Construct, removalPolicy: RemovalPolicy, key: IKey | undefined): Secret {
  const secret = new Secret(scope, 'WanApiKey', {
    description: "Wan's API key (Alibaba Cloud Model Studio) for the configured region",
    secretStringValue: SecretValue.unsafePlainText(UNSET_SECRET),
    removalPolicy,
    ...(key ? { encryptionKey: key } : {}),
  });
  pinLogicalId(secret, 'WanApiKey');
  acknowledge(
    secret,
    'SMG4',
    'Model Studio has no API to create or revoke keys, so no function can rotate this one. It is replaced by hand, and functions read the new value without a deployment.',
  );
  justify(secret, 'CKV_AWS_149', encryptedByAws, 'kmsKeyId');
  return secret;
}

const encryptedByAws = 'Secrets Manager encrypts it with a key of AWS; the setting kmsKeyArn uses another.';

/** Creates the secret from which the owners' webhook secrets are derived. Its value is random and is never shown. */
export function webhookKey(scope: Construct, removalPolicy: RemovalPolicy, key: IKey | undefined): Secret {
  const secret = new Secret(scope, 'WebhookKey', {
    description: 'Derives the secrets that sign webhooks, one per owner and version',
    generateSecretString: { passwordLength: 64, excludePunctuation: true },
    // Without it, no receiver could verify events again before it got a new secret.
    removalPolicy,
    ...(key ? { encryptionKey: key } : {}),
  });
  pinLogicalId(secret, 'WebhookKey');
  acknowledge(
    secret,
    'SMG4',
    'Every receiver verifies with a secret that is derived from it, so a new value would break all of them. Owners rotate their own secrets.',
  );
  justify(secret, 'CKV_AWS_149', encryptedByAws, 'kmsKeyId');
  return secret;
}

/** Creates the secret that signs links to files. Its value is random and is never shown. */
export function fileLinkKey(scope: Construct, key: IKey | undefined): Secret {
  const secret = new Secret(scope, 'FileLinkKey', {
    description: 'Signs the links to videos that clients of the DashScope protocol receive',
    generateSecretString: { passwordLength: 64, excludePunctuation: true },
    // Without it, only links that are valid for another day are lost.
    removalPolicy: RemovalPolicy.DESTROY,
    ...(key ? { encryptionKey: key } : {}),
  });
  pinLogicalId(secret, 'FileLinkKey');
  acknowledge(
    secret,
    'SMG4',
    'Links are valid for 24 hours and give access to one video each. A new value would end all of them, so it is only replaced by hand.',
  );
  justify(secret, 'CKV_AWS_149', encryptedByAws, 'kmsKeyId');
  return secret;
}
