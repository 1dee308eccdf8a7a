import { arn, ignoredType, resourceType } from '../resource-type.ts';
import { ignored } from '../schema.ts';

const policies = 'policies are not evaluated at run time; a test replays the calls against them';
const unprotected = 'the API listens on the loopback address, where every request comes from one address';
const watching = 'there are no metrics on this machine';

/** Resource types that may have any property and have no effect here. */
export const ignoredTypes = {
  'AWS::IAM::Role': ignoredType(policies, { Arn: ({ account, name }) => `arn:aws:iam::${account}:role/${name}` }),
  'AWS::IAM::Policy': ignoredType(policies),
  'AWS::S3::BucketPolicy': ignoredType(policies),
  'AWS::SQS::QueuePolicy': ignoredType(policies),
  'AWS::SNS::TopicPolicy': ignoredType(policies),
  'AWS::SNS::Topic': resourceType({
    ref: arn('sns', ({ name }) => name),
    properties: ignored('only alarms speak to it, and they do not ring here'),
  }),
  'AWS::SNS::Subscription': ignoredType('only alarms speak to its topic, and they do not ring here'),
  'AWS::Logs::LogGroup': ignoredType('logs go to the state directory', {
    Arn: arn('logs', ({ name }) => `log-group:${name}:*`),
  }),
  'AWS::CloudWatch::Alarm': ignoredType(watching, { Arn: arn('cloudwatch', ({ name }) => `alarm:${name}`) }),
  'AWS::CloudWatch::Dashboard': ignoredType(watching),
  'AWS::ApiGateway::Account': ignoredType('there is no CloudWatch'),
  'AWS::KMS::Key': ignoredType('files on this machine are as encrypted as its disk', {
    Arn: arn('kms', ({ name }) => `key/${name}`),
  }),
  'AWS::WAFv2::WebACL': ignoredType(unprotected, { Arn: arn('wafv2', ({ name }) => `regional/webacl/${name}`) }),
  'AWS::WAFv2::WebACLAssociation': ignoredType(unprotected),
};
