import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Which video an invocation is about, by a name that is the same in every run of one seed. */
export interface Subjects {
  /** @param payload JSON. @returns '' for what is about no video in particular */
  of(payload: string): string;
  /** @param id of a video */
  nameOf(id: string): string;
  /** Notes that a drop became a video: its id holds the object's version, which is another in every run. */
  learn(id: string, subject: string): void;
}

type Json = Record<string, unknown>;
const object = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {});
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** @param directory where what was learnt is kept, for the process that is started after this one was killed */
export function openSubjects(directory: string): Subjects {
  const file = path.join(directory, 'drops.tsv');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  const names = new Map(lines.map((line) => line.split('\t') as [string, string]));
  const nameOf = (id: string) => names.get(id) ?? id;
  return {
    nameOf,
    of(payload) {
      const given = object(JSON.parse(payload));
      const [message] = Array.isArray(given.Records) ? given.Records : [];
      const event = message === undefined ? given : object(JSON.parse(String(object(message).body)));
      const headers = Object.entries(object(event.headers)).map(([name, value]) => [name.toLowerCase(), value]);
      const id = text(event.id) ?? text(object(event.pathParameters).id);
      // An event of S3 is handed on whole, or its detail alone.
      const dropped = object(object(event.detail).object ?? event.object).key ?? event.key;
      return (
        text(Object.fromEntries(headers)['idempotency-key']) ??
        text(dropped) ??
        (id === undefined || event.source !== undefined ? '' : nameOf(id))
      );
    },
    learn(id, subject) {
      if (names.get(id) === subject) return;
      names.set(id, subject);
      appendFileSync(file, `${id}\t${subject}\n`);
    },
  };
}
