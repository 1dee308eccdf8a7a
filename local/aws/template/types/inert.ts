import { arn, inertType, resourceType } from '../resource-type.ts';
import { inert } from '../schema.ts';

const policies = 'policies are not evaluated at run time; a test replays the calls against them';
const unprotected = 'the API listens on the loopback address, where every request comes from one address';
const watching = 'there are no metrics on this machine';

/** Types that may stand in the template with any property and have no effect here. */
export const inertTypes = {
  'AWS::IAM::Role': inertType(policies, { Arn: ({ account, name }) => `arn:aws:iam::${account}:role/${name}` }),
  'AWS::IAM::Policy': inertType(policies),
  'AWS::S3::BucketPolicy': inertType(policies),
  'AWS::SQS::QueuePolicy': inertType(policies),
  'AWS::SNS::TopicPolicy': inertType(policies),
  'AWS::SNS::Topic': resourceType({
    ref: arn('sns', ({ name }) => name),
    properties: inert('only alarms speak to it, and they do not ring here'),
  }),
  'AWS::SNS::Subscription': inertType('only alarms speak to its topic, and they do not ring here'),
  'AWS::Logs::LogGroup': inertType('logs go to the state directory', {
    Arn: arn('logs', ({ name }) => `log-group:${name}:*`),
  }),
  'AWS::CloudWatch::Alarm': inertType(watching, { Arn: arn('cloudwatch', ({ name }) => `alarm:${name}`) }),
  'AWS::CloudWatch::Dashboard': inertType(watching),
  'AWS::ApiGateway::Account': inertType('there is no CloudWatch'),
  'AWS::KMS::Key': inertType('files on this machine are as encrypted as its disk', {
    Arn: arn('kms', ({ name }) => `key/${name}`),
  }),
  'AWS::WAFv2::WebACL': inertType(unprotected, { Arn: arn('wafv2', ({ name }) => `regional/webacl/${name}`) }),
  'AWS::WAFv2::WebACLAssociation': inertType(unprotected),
};
