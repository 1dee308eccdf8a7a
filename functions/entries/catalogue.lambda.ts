import { composeCatalogue } from './api.ts';
import { entry } from './platform.ts';

export const handler = entry('catalogue', composeCatalogue, {});
