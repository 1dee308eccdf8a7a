import { CfnResource } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * Fixes a resource's logical id. CloudFormation replaces what changes its id, so whatever holds data must keep its own,
 * however the code around it is arranged.
 */
export function pinLogicalId(construct: IConstruct, logicalId: string): void {
  const resource = construct.node.defaultChild;
  if (!CfnResource.isCfnResource(resource)) throw new Error(`${construct.node.path} is no resource of its own.`);
  resource.overrideLogicalId(logicalId);
}
