import { arn, resourceType } from '../resource-type.ts';
import { inert } from '../schema.ts';

const policies = 'policies are not evaluated at run time; a test replays the calls against them';
const unprotected = 'the API listens on the loopback address, where every request comes from one address';
const watching = 'there are no metrics on this machine';

/** Types that may stand in the template with any property and have no effect here. */
export const inertTypes = {
  'AWS::IAM::Role': resourceType({
    name_property: 'RoleName',
    ref: ({ name }) => name,
    attributes: { Arn: ({ account, name }) => `arn:aws:iam::${account}:role/${name}`, RoleId: ({ name }) => name },
    properties: inert(policies),
  }),
  'AWS::IAM::Policy': resourceType({ ref: ({ name }) => name, attributes: {}, properties: inert(policies) }),
  'AWS::IAM::ManagedPolicy': resourceType({
    ref: ({ account, name }) => `arn:aws:iam::${account}:policy/${name}`,
    attributes: {},
    properties: inert(policies),
  }),
  'AWS::Logs::LogGroup': resourceType({
    name_property: 'LogGroupName',
    ref: ({ name }) => name,
    attributes: { Arn: arn('logs', ({ name }) => `log-group:${name}:*`) },
    properties: inert('logs go to the state directory'),
  }),
  'AWS::Logs::ResourcePolicy': resourceType({
    ref: ({ name }) => name,
    attributes: {},
    properties: inert('logs go to the state directory'),
  }),
  'AWS::Logs::MetricFilter': resourceType({
    ref: ({ name }) => name,
    attributes: {},
    properties: inert(watching),
  }),
  'AWS::CloudWatch::Alarm': resourceType({
    name_property: 'AlarmName',
    ref: ({ name }) => name,
    attributes: { Arn: arn('cloudwatch', ({ name }) => `alarm:${name}`) },
    properties: inert(watching),
  }),
  'AWS::CloudWatch::Dashboard': resourceType({
    name_property: 'DashboardName',
    ref: ({ name }) => name,
    attributes: {},
    properties: inert(watching),
  }),
  'AWS::SNS::Subscription': resourceType({
    ref: arn('sns', ({ name }) => name),
    attributes: {},
    properties: inert('only alarms speak to its topic, and they do not ring here'),
  }),
  'AWS::KMS::Key': resourceType({
    ref: ({ name }) => name,
    attributes: { Arn: arn('kms', ({ name }) => `key/${name}`), KeyId: ({ name }) => name },
    properties: inert('files on this machine are as encrypted as its disk'),
  }),
  'AWS::WAFv2::WebACL': resourceType({
    name_property: 'Name',
    ref: ({ name }) => name,
    attributes: { Arn: arn('wafv2', ({ name }) => `regional/webacl/${name}`), Id: ({ name }) => name },
    properties: inert(unprotected),
  }),
  'AWS::WAFv2::WebACLAssociation': resourceType({
    ref: ({ name }) => name,
    attributes: {},
    properties: inert(unprotected),
  }),
  'AWS::CDK::Metadata': resourceType({
    ref: ({ name }) => name,
    attributes: {},
    properties: inert('it counts the constructs that are used'),
  }),
};
