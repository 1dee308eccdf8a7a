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
  /** The property that names the resource, where the type has one. */
  name_property?: string;
  ref(identity: Identity): string;
  /** What `Fn::GetAtt` gives, by attribute. */
  attributes: Record<string, (identity: Identity) => string>;
}

/** Helps the compiler to keep a resource type's schema. */
export function resourceType<Properties>(type: ResourceType<Properties>): ResourceType<Properties> {
  return type;
}

export const tags = inert('tags are for bills and searches');

export const arn = (service: string, resource: (identity: Identity) => string) => (identity: Identity) =>
  `arn:aws:${service}:${identity.region}:${identity.account}:${resource(identity)}`;
