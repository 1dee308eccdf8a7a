import type { ResourceType } from '../resource-type.ts';
import type { ValueOf } from '../schema.ts';
import { apiTypes } from './api.ts';
import { computeTypes } from './compute.ts';
import { inertTypes } from './inert.ts';
import { messagingTypes } from './messaging.ts';
import { storageTypes } from './storage.ts';

/** Every CloudFormation resource type the local runtime knows. A template with any other one is refused. */
export const resourceTypes = { ...apiTypes, ...computeTypes, ...inertTypes, ...messagingTypes, ...storageTypes };

export type TypeName = keyof typeof resourceTypes;
export type PropertiesOf<Name extends TypeName> = ValueOf<(typeof resourceTypes)[Name]['properties']>;

export function knownType(name: string): ResourceType | undefined {
  return Object.hasOwn(resourceTypes, name) ? resourceTypes[name as TypeName] : undefined;
}
