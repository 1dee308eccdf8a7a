import { CfnResource } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * Pins a resource's logical id. CloudFormation replaces a resource whose id changes, so resources with data must keep theirs when
 * the code is rearranged.
 */
export function pinLogicalId(construct: IConstruct, logicalId: string): void {
  const resource = construct.node.defaultChild;
  if (!CfnResource.isCfnResource(resource))
    throw new Error(`${construct.node.path} has no CfnResource as its default child.`);
  resource.overrideLogicalId(logicalId);
}
