import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigurationError } from '../config.ts';
import { projectRoot } from './bundle.ts';

/** What a deployment changes in the catalogue of models, next to `cdk.json`. */
export const catalogueFile = 'catalogue.json';

/** Returns the content of `catalogue.json`, not yet validated; an empty object without one. @throws ConfigurationError for no JSON */
export async function readCatalogueFile(root = projectRoot): Promise<unknown> {
  const text = await readFile(join(root, catalogueFile), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw error;
  });
  try {
    return JSON.parse(text);
  } catch {
    throw new ConfigurationError(`${catalogueFile} is not JSON.`);
  }
}
