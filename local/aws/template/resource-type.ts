import { inert, type Schema } from './schema.ts';

/** A resource before its properties are read: what its `Ref` and attributes are made of. */
export interface Identity {
  logical_id: string;
  /** The name given by the template, or the one this machine gives. */
  name: string;
  /** One of its properties, resolved, as text. */
  property(name: string): string | undefined;
  account: string;
  region: string;
}

/** What the local runtime knows of a CloudFormation resource type. */
export interface ResourceType<Properties = unknown> {
  /** Every property that is known; any other one is an error. Those that have no effect here are `inert(why)`. */
  properties: Schema<Properties>;
  /** The property that names the resource, where the template gives it a name. */
  name_property?: string;
  ref(identity: Identity): string;
  /** What `Fn::GetAtt` gives, by attribute. */
  attributes: Record<string, (identity: Identity) => string>;
}

/** A resource type; without more its `Ref` is its name, and it has no attributes. */
export function resourceType<Properties>(
  type: Pick<ResourceType<Properties>, 'properties'> & Partial<ResourceType<Properties>>,
): ResourceType<Properties> {
  return { ref: ({ name }) => name, attributes: {}, ...type };
}

/** A resource type that may have any property and has no effect here; `why` that is safe. */
export function inertType(why: string, attributes: ResourceType['attributes'] = {}): ResourceType {
  return resourceType({ attributes, properties: inert(why) });
}

export const arn = (service: string, resource: (identity: Identity) => string) => (identity: Identity) =>
  `arn:aws:${service}:${identity.region}:${identity.account}:${resource(identity)}`;
