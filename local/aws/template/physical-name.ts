/**
 * Generates a physical name from the stack's name and the logical id, without the resource type at its end and without
 * the CDK's hash: `UploadsBucket` becomes `firstframe-uploads`.
 */
export function physicalName(stackName: string, logicalId: string, type: string): string {
  const typeName = type.split('::').at(-1) ?? '';
  const withoutHash = logicalId.replace(/(?<=.)[0-9A-F]{8}$/, '');
  const withoutType =
    withoutHash.endsWith(typeName) && withoutHash !== typeName ? withoutHash.slice(0, -typeName.length) : withoutHash;
  return [stackName.toLowerCase(), kebabCase(withoutType)].join('-');
}

function kebabCase(text: string): string {
  return text
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();
}
