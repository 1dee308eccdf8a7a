import * as z from 'zod';

/** What a resource's `Ref` and attributes are computed from. */
export interface Identity {
  logical_id: string;
  /** The name that the template sets, or the one that the runtime generates. */
  name: string;
  /** Returns a property of the resource as text, resolved. */
  property(name: string): string | undefined;
  account: string;
  region: string;
}

/** How the local runtime reads a CloudFormation resource type. */
export interface ResourceType<Properties = unknown> {
  /** All supported properties; any other property is an error. Properties without effect are `ignored(reason)`. */
  properties: z.ZodType<Properties>;
  /** The property that sets the resource's name. */
  name_property?: string;
  ref(identity: Identity): string;
  /** The values of `Fn::GetAtt`, by attribute. */
  attributes: Record<string, (identity: Identity) => string>;
}

/** A resource type. By default its `Ref` is its name and it has no attributes. */
export function resourceType<Properties>(
  type: Pick<ResourceType<Properties>, 'properties'> & Partial<ResourceType<Properties>>,
): ResourceType<Properties> {
  return { ref: ({ name }) => name, attributes: {}, ...type };
}

/** A resource type that the runtime accepts with any property and ignores. `reason` documents why that is safe. */
export function ignoredType(_reason: string, attributes: ResourceType['attributes'] = {}): ResourceType {
  return resourceType({ attributes, properties: z.unknown() });
}

export const arn = (service: string, resource: (identity: Identity) => string) => (identity: Identity) =>
  `arn:aws:${service}:${identity.region}:${identity.account}:${resource(identity)}`;
