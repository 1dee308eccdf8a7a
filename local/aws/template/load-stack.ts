import { resolve, type Scope } from './intrinsics.ts';
import { physicalName } from './physical-name.ts';
import type { Identity, ResourceType } from './resource-type.ts';
import { describeIssues } from './schema.ts';
import { type Template, TemplateError, type TemplateResource } from './template.ts';
import { findResourceType, type PropertiesOf, type TypeName } from './types/resource-types.ts';

export interface LoadOptions {
  stack_name: string;
  account: string;
  region: string;
}

/** A resource with all values resolved. */
export interface Resource<Name extends TypeName = TypeName> {
  logical_id: string;
  /** The physical name. */
  name: string;
  /** The value of `Ref`: the name or the ARN, depending on the type. */
  ref: string;
  properties: PropertiesOf<Name>;
  attribute(name: string): string;
}

export interface Stack {
  /** The resources of a type, in the template's order. */
  all<Name extends TypeName>(type: Name): Resource<Name>[];
  outputs: Record<string, unknown>;
}

/**
 * Loads a synthesized template: resolves intrinsic functions, generates names and checks every property.
 * @throws TemplateError that lists all unsupported types, properties and functions
 */
export function loadStack(template: Template, options: LoadOptions): Stack {
  const issues = unsupportedSections(template);
  const scope = stackScope(template, options);
  const collectError = <Result>(subject: string, work: () => Result): Result | undefined => {
    try {
      return work();
    } catch (error) {
      issues.push(`${subject}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  };

  const byType = new Map<string, Resource[]>();
  for (const [logicalId, resource] of Object.entries(template.Resources)) {
    const subject = `${logicalId} (${resource.Type})`;
    const type = findResourceType(resource.Type);
    if (!type) {
      issues.push(`${subject}: this resource type is not supported`);
      continue;
    }
    const properties = collectError(subject, () => resolve(resource.Properties ?? {}, scope));
    if (properties === undefined) continue;
    const { data, error } = type.properties.safeParse(properties);
    if (error) issues.push(...describeIssues(error).map((issue) => `${subject}: ${issue}`));
    const loaded = {
      logical_id: logicalId,
      name: scope.identity(logicalId).name,
      ref: scope.ref(logicalId) as string,
      properties: data as Resource['properties'],
      attribute: (name: string) => scope.attribute(logicalId, name),
    };
    byType.set(resource.Type, [...(byType.get(resource.Type) ?? []), loaded]);
  }
  const outputs = Object.fromEntries(
    Object.entries(template.Outputs ?? {}).map(([name, output]) => [
      name,
      collectError(`the output ${name}`, () => resolve(output.Value, scope)),
    ]),
  );
  if (issues.length > 0) throw new TemplateError(issues);
  return {
    all: <Name extends TypeName>(type: Name) => (byType.get(type) ?? []) as Resource<Name>[],
    outputs,
  };
}

/** Supported top-level sections, including those without effect here. */
const supportedSections = new Set([
  ...['Resources', 'Parameters', 'Outputs', 'Description'],
  // The CDK's check of the account's bootstrap version. There is no bootstrap stack here.
  'Rules',
]);
const supportedResourceKeys = new Set([
  ...['Type', 'Properties'],
  // All resources are created before anything is called, and nothing is ever deleted, so order and retention have no
  // effect.
  ...['DependsOn', 'DeletionPolicy', 'UpdateReplacePolicy', 'Metadata'],
]);

function unsupportedSections(template: Template): string[] {
  return [
    ...Object.keys(template)
      .filter((section) => !supportedSections.has(section))
      .map((section) => `the template's section ${section} is not supported`),
    ...Object.entries(template.Resources).flatMap(([logicalId, resource]) =>
      Object.keys(resource)
        .filter((key) => !supportedResourceKeys.has(key))
        .map((key) => `${logicalId} (${resource.Type}): the attribute ${key} is not supported`),
    ),
  ];
}

interface StackScope extends Scope {
  identity(logicalId: string): Identity;
  attribute(logicalId: string, name: string): string;
}

function stackScope(template: Template, options: LoadOptions): StackScope {
  const pseudoParameters: Record<string, unknown> = {
    'AWS::AccountId': options.account,
    'AWS::Partition': 'aws',
    'AWS::Region': options.region,
    'AWS::StackId': `arn:aws:cloudformation:${options.region}:${options.account}:stack/${options.stack_name}/local`,
    'AWS::StackName': options.stack_name,
    'AWS::URLSuffix': 'amazonaws.com',
  };
  const findResource = (logicalId: string): [TemplateResource, ResourceType] => {
    const resource = template.Resources[logicalId];
    if (!resource) throw new Error(`there is no resource or parameter ${logicalId}`);
    const type = findResourceType(resource.Type);
    if (!type) throw new Error(`it refers to ${logicalId}, whose type ${resource.Type} is not supported`);
    return [resource, type];
  };
  const scope: StackScope = {
    identity(logicalId) {
      const [resource, type] = findResource(logicalId);
      const property = (name: string) => {
        const value = resource.Properties?.[name];
        return value === undefined ? undefined : String(resolve(value, scope));
      };
      const explicitName = type.name_property === undefined ? undefined : property(type.name_property);
      const name = explicitName ?? physicalName(options.stack_name, logicalId, resource.Type);
      return { logical_id: logicalId, name, property, account: options.account, region: options.region };
    },
    ref(logicalId) {
      if (Object.hasOwn(pseudoParameters, logicalId)) return pseudoParameters[logicalId];
      const parameter = template.Parameters?.[logicalId];
      if (!parameter) return findResource(logicalId)[1].ref(scope.identity(logicalId));
      if (parameter.Default === undefined) throw new Error(`the parameter ${logicalId} has no default value`);
      return parameter.Default;
    },
    attribute(logicalId, name) {
      const attribute = findResource(logicalId)[1].attributes[name];
      if (!attribute) throw new Error(`the attribute ${logicalId}.${name} is not supported`);
      return attribute(scope.identity(logicalId));
    },
  };
  return scope;
}
