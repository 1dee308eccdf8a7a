import { runSimulation } from '@cloud-copilot/iam-simulate';
import { account, region } from '../../local/aws/account.ts';
import { loadStack } from '../../local/aws/template/load-stack.ts';
import { synthesizeStandIns } from '../infra/support.ts';
import type { JudgedCall } from '../support/aws-calls.ts';

/** One action on one resource that a role allows. */
export interface Grant {
  /** The role's ARN. */
  role: string;
  action: string;
  resource: string;
  condition?: Record<string, Record<string, string | string[]>>;
}

interface Statement {
  Effect: string;
  Action: string | string[];
  Resource: string | string[];
  Condition?: Grant['condition'];
}
type Policies = { PolicyDocument: { Statement: Statement[] } };

/** Reads the distinct grants of the synthesized roles. References are resolved by the local runtime. @param context settings */
export async function readGrants(context: Record<string, unknown> = {}): Promise<Grant[]> {
  const { template } = await synthesizeStandIns(context);
  const stack = loadStack(template, { stack_name: 'firstframe', account, region });
  const roles = stack.all('AWS::IAM::Role').map(({ name, properties, attribute }) => ({
    name,
    arn: attribute('Arn'),
    inline: (properties as { Policies?: Policies[] }).Policies ?? [],
  }));
  const attached = stack.all('AWS::IAM::Policy').map(({ properties }) => properties as Policies & { Roles: string[] });
  const grants = roles.flatMap(({ name, arn, inline }) =>
    [...inline, ...attached.filter(({ Roles }) => Roles.includes(name))].flatMap(({ PolicyDocument }) =>
      PolicyDocument.Statement.flatMap((statement) => grantsOf(arn, statement)),
    ),
  );
  return [...new Map(grants.map((grant) => [describeGrant(grant), grant])).values()];
}

function grantsOf(role: string, { Effect, Action, Resource, Condition }: Statement): Grant[] {
  if (Effect !== 'Allow') throw new Error(`A role has a statement with the effect ${Effect}. Use Allow.`);
  return [Action]
    .flat()
    .flatMap((action) =>
      [Resource].flat().map((resource) => ({ role, action, resource, ...(Condition ? { condition: Condition } : {}) })),
    );
}

/**
 * Actions that the simulator's table, like AWS's reference, lists without a resource, although IAM evaluates them on the state
 * machine (aws/aws-cdk#8486), with an action that is evaluated the same way.
 */
const evaluatedAs: Record<string, string> = { 'states:SendTaskSuccess': 'states:StartExecution' };

/** The statement of a key's policy without which the policies of roles do not count. */
const defaultKeyPolicy = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'kms:*', Resource: '*' }],
};

/** Whether IAM would allow a call of a role with only these grants. @throws Error for a call that IAM cannot evaluate */
export async function isAllowed(
  { principal, action, resource, conditions }: JudgedCall,
  grants: readonly Grant[],
): Promise<boolean> {
  const Statement = grants.map(({ action, resource, condition }) => ({
    Effect: 'Allow',
    Action: evaluatedAs[action] ?? action,
    Resource: resource,
    ...(condition ? { Condition: condition } : {}),
  }));
  const result = await runSimulation(
    {
      request: {
        principal,
        action: evaluatedAs[action] ?? action,
        resource: { resource, accountId: account },
        contextVariables: { ...(conditions as Record<string, string | string[]>) },
      },
      identityPolicies: Statement.length > 0 ? [{ name: 'role', policy: { Version: '2012-10-17', Statement } }] : [],
      ...(action.startsWith('kms:') ? { resourcePolicy: defaultKeyPolicy } : {}),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  if (result.resultType === 'error')
    throw new Error(
      `${describeCall({ principal, action, resource })} cannot be evaluated: ${JSON.stringify(result.errors)}`,
    );
  return result.overallResult === 'Allowed';
}

/** Returns the calls that the grants of their roles do not allow. */
export async function refusedCalls(calls: readonly JudgedCall[], grants: readonly Grant[]): Promise<string[]> {
  const refused: string[] = [];
  for (const call of calls) {
    const own = grants.filter(({ role, action }) => role === call.principal && action === call.action);
    if (!(await isAllowed(call, own))) refused.push(describeCall(call));
  }
  return refused;
}

/** Returns the grants that no call used. */
export async function unusedGrants(grants: readonly Grant[], calls: readonly JudgedCall[]): Promise<Grant[]> {
  const unused: Grant[] = [];
  for (const grant of grants) {
    const candidates = calls.filter(({ principal, action }) => principal === grant.role && action === grant.action);
    let used = false;
    for (const call of candidates) used ||= await isAllowed(call, [grant]);
    if (!used) unused.push(grant);
  }
  return unused;
}

const roleName = (arn: string): string => arn.slice(arn.lastIndexOf('/') + 1);

export const describeCall = ({ principal, action, resource, conditions }: JudgedCall): string =>
  `${roleName(principal)}: ${action} on ${resource}${conditions ? ` with ${JSON.stringify(conditions)}` : ''}`;

export const describeGrant = ({ role, action, resource, condition }: Grant): string =>
  `${roleName(role)}: ${action} on ${resource}${condition ? ` if ${JSON.stringify(condition)}` : ''}`;
