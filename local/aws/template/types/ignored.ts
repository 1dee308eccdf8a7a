import { arn, ignoredType, resourceType } from '../resource-type.ts';
import { ignored } from '../schema.ts';

const policies = 'policies are not evaluated at run time; a test replays the calls against them';
const noFirewall = 'the API listens on the loopback address, where all requests have the same source address';
const noMetrics = 'there are no metrics here';

/** Resource types that may have any property and have no effect here. */
export const ignoredTypes = {
  'AWS::IAM::Role': ignoredType(policies, { Arn: ({ account, name }) => `arn:aws:iam::${account}:role/${name}` }),
  'AWS::IAM::Policy': ignoredType(policies),
  'AWS::S3::BucketPolicy': ignoredType(policies),
  'AWS::SNS::TopicPolicy': ignoredType(policies),
  'AWS::SNS::Topic': resourceType({
    ref: arn('sns', ({ name }) => name),
    properties: ignored('only alarms publish to it, and there are none here'),
  }),
  'AWS::SNS::Subscription': ignoredType('only alarms publish to its topic, and there are none here'),
  'AWS::Logs::LogGroup': ignoredType('logs go to the state directory', {
    Arn: arn('logs', ({ name }) => `log-group:${name}:*`),
  }),
  'AWS::CloudWatch::Alarm': ignoredType(noMetrics, { Arn: arn('cloudwatch', ({ name }) => `alarm:${name}`) }),
  'AWS::CloudWatch::Dashboard': ignoredType(noMetrics),
  'AWS::ApiGateway::Account': ignoredType('there is no CloudWatch'),
  'AWS::KMS::Key': ignoredType('encryption is up to the local disk', {
    Arn: arn('kms', ({ name }) => `key/${name}`),
  }),
  'AWS::WAFv2::WebACL': ignoredType(noFirewall, { Arn: arn('wafv2', ({ name }) => `regional/webacl/${name}`) }),
  'AWS::WAFv2::WebACLAssociation': ignoredType(noFirewall),
};
