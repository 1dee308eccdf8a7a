import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** Whether a JSON value is an object: neither null nor an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parses a JSON object. Returns undefined for any other text. */
export function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Reads all JSON files of a directory, which need not exist. */
export async function readJsonFiles<Value>(directory: string): Promise<Value[]> {
  const files = await readdir(directory).catch(() => []);
  const jsonFiles = files.filter((file) => file.endsWith('.json'));
  return Promise.all(jsonFiles.map(async (file) => JSON.parse(await readFile(path.join(directory, file), 'utf8'))));
}
