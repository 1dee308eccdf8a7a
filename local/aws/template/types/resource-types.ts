import type * as z from 'zod';
import type { ResourceType } from '../resource-type.ts';
import { apiTypes } from './api.ts';
import { computeTypes } from './compute.ts';
import { ignoredTypes } from './ignored.ts';
import { messagingTypes } from './messaging.ts';
import { storageTypes } from './storage.ts';

/** All supported resource types. A template with any other type is rejected. */
export const resourceTypes = { ...apiTypes, ...computeTypes, ...ignoredTypes, ...messagingTypes, ...storageTypes };

export type TypeName = keyof typeof resourceTypes;
export type PropertiesOf<Name extends TypeName> = z.output<(typeof resourceTypes)[Name]['properties']>;

export function findResourceType(name: string): ResourceType | undefined {
  return Object.hasOwn(resourceTypes, name) ? resourceTypes[name as TypeName] : undefined;
}
