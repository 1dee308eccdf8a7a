/**
 * The physical name of a resource on this machine: the stack's name and the logical id in words, without the type's own
 * word at its end and without the hash that the CDK appends: `UploadsBucket` is `firstframe-uploads`.
 */
export function physicalName(stackName: string, logicalId: string, type: string): string {
  const typeWord = type.split('::').at(-1) ?? '';
  const withoutHash = logicalId.replace(/(?<=.)[0-9A-F]{8}$/, '');
  const withoutType =
    withoutHash.endsWith(typeWord) && withoutHash !== typeWord ? withoutHash.slice(0, -typeWord.length) : withoutHash;
  return [stackName.toLowerCase(), kebab(withoutType)].join('-');
}

function kebab(words: string): string {
  return words
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();
}
