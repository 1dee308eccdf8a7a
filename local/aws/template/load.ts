import { resolve, type Scope } from './intrinsics.ts';
import { physicalName } from './names.ts';
import type { Identity, ResourceType } from './resource-type.ts';
import { type Template, TemplateError, type TemplateResource } from './template.ts';
import { knownType, type PropertiesOf, type TypeName } from './types/resource-types.ts';

export interface LoadOptions {
  stack_name: string;
  account: string;
  region: string;
}

/** A resource with everything worked out. */
export interface Resource<Name extends TypeName = TypeName> {
  logical_id: string;
  /** Its name on this machine. */
  name: string;
  /** What `Ref` gives: for most types the name, for some the ARN. */
  ref: string;
  properties: PropertiesOf<Name>;
  attribute(name: string): string;
}

export interface Stack {
  /** The resources of one type, in the template's order. */
  all<Name extends TypeName>(type: Name): Resource<Name>[];
  outputs: Record<string, unknown>;
}

/**
 * Reads a synthesised template: intrinsic functions resolved, names given, every property checked against what the
 * local runtime knows.
 * @throws TemplateError that lists all unknown types, properties and functions by resource.
 */
export function loadStack(template: Template, options: LoadOptions): Stack {
  const faults = sectionFaults(template);
  const scope = stackScope(template, options);
  const attempt = <Result>(where: string, work: () => Result): Result | undefined => {
    try {
      return work();
    } catch (error) {
      faults.push(`${where}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  };

  const byType = new Map<string, Resource[]>();
  for (const [logicalId, declared] of Object.entries(template.Resources)) {
    const where = `${logicalId} (${declared.Type})`;
    const type = knownType(declared.Type);
    if (!type) {
      faults.push(`${where}: this resource type is unknown`);
      continue;
    }
    const properties = attempt(where, () => resolve(declared.Properties ?? {}, scope));
    if (properties === undefined) continue;
    const wrong: string[] = [];
    const read = type.properties(properties, '', wrong);
    faults.push(...wrong.map((fault) => `${where}: ${fault}`));
    const resource = {
      logical_id: logicalId,
      name: scope.identity(logicalId).name,
      ref: scope.ref(logicalId) as string,
      properties: read as Resource['properties'],
      attribute: (name: string) => scope.attribute(logicalId, name),
    };
    byType.set(declared.Type, [...(byType.get(declared.Type) ?? []), resource]);
  }
  const outputs = Object.fromEntries(
    Object.entries(template.Outputs ?? {}).map(([name, output]) => [
      name,
      attempt(`the output ${name}`, () => resolve(output.Value, scope)),
    ]),
  );
  if (faults.length > 0) throw new TemplateError(faults);
  return {
    all: <Name extends TypeName>(type: Name) => (byType.get(type) ?? []) as Resource<Name>[],
    outputs,
  };
}

/** Top-level sections that are read, and those that have no effect on this machine. */
const sections = new Set([
  ...['Resources', 'Parameters', 'Outputs', 'Description'],
  // The CDK's check of the account's bootstrap version; there is no bootstrap here.
  'Rules',
]);
const resourceKeys = new Set([
  ...['Type', 'Properties'],
  // Everything is created before anything is called, and nothing is ever deleted: order and retention change nothing.
  ...['DependsOn', 'DeletionPolicy', 'UpdateReplacePolicy', 'Metadata'],
]);

function sectionFaults(template: Template): string[] {
  return [
    ...Object.keys(template)
      .filter((section) => !sections.has(section))
      .map((section) => `the template's section ${section} is unknown`),
    ...Object.entries(template.Resources).flatMap(([logicalId, declared]) =>
      Object.keys(declared)
        .filter((key) => !resourceKeys.has(key))
        .map((key) => `${logicalId} (${declared.Type}): the attribute ${key} is unknown`),
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
    'AWS::StackName': options.stack_name,
    'AWS::URLSuffix': 'amazonaws.com',
  };
  const known = (logicalId: string): [TemplateResource, ResourceType] => {
    const declared = template.Resources[logicalId];
    if (!declared) throw new Error(`there is no resource or parameter ${logicalId}`);
    const type = knownType(declared.Type);
    if (!type) throw new Error(`it refers to ${logicalId}, whose type ${declared.Type} is unknown`);
    return [declared, type];
  };
  const scope: StackScope = {
    identity(logicalId) {
      const [declared, type] = known(logicalId);
      const property = (name: string) => {
        const value = declared.Properties?.[name];
        return value === undefined ? undefined : String(resolve(value, scope));
      };
      const given = type.name_property === undefined ? undefined : property(type.name_property);
      const name = given ?? physicalName(options.stack_name, logicalId, declared.Type);
      return { logical_id: logicalId, name, property, account: options.account, region: options.region };
    },
    ref(logicalId) {
      if (Object.hasOwn(pseudoParameters, logicalId)) return pseudoParameters[logicalId];
      const parameter = template.Parameters?.[logicalId];
      if (!parameter) return known(logicalId)[1].ref(scope.identity(logicalId));
      if (parameter.Default === undefined) throw new Error(`the parameter ${logicalId} has no default value`);
      return parameter.Default;
    },
    attribute(logicalId, name) {
      const attribute = known(logicalId)[1].attributes[name];
      if (!attribute) throw new Error(`the attribute ${logicalId}.${name} is unknown`);
      return attribute(scope.identity(logicalId));
    },
  };
  return scope;
}
