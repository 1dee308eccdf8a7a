import { type DropDefaults, type DropRules, ownerName } from '../shared/environment.ts';

/**
 * Whose a drop is, by the top folder of its key: `drop/<folder>/…`. What lies in `drop/` itself is the defaults' owner's, as is
 * all that a table of folders does not list.
 * @returns undefined for a folder that names an owner by rule and can't: no owner is called so
 */
export function ownerOf(
  key: string,
  { owners }: Pick<DropRules, 'owners'>,
  defaults: Pick<DropDefaults, 'owner'>,
): string | undefined {
  const folder = topFolder(key);
  if (owners === 'one' || folder === undefined) return defaults.owner;
  if (owners === 'folders') return ownerName.safeParse(folder).data;
  return Object.hasOwn(owners, folder) ? owners[folder] : defaults.owner;
}

/** The name of the folder right below `drop/` that holds a key; undefined for a key in `drop/` itself. */
export function topFolder(key: string): string | undefined {
  const [, folder, ...below] = key.split('/');
  return below.length > 0 ? folder : undefined;
}
