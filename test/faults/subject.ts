import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Names the video of an invocation; the name is the same in every run with the same seed. */
export interface Subjects {
  /** @param payload JSON. @returns '' for an invocation without a particular video */
  of(payload: string): string;
  /** @param id of a video */
  nameOf(id: string): string;
  /** Records the video of a drop, whose id differs between runs because it depends on the object's version. */
  learn(id: string, subject: string): void;
}

type Json = Record<string, unknown>;
const object = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {});
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** @param directory stores the names of drops for the next life of the process */
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
      const { id: delivered, sequence } = object(event.detail);
      // The message of a webhook is EventBridge's envelope or only its detail.
      if (typeof delivered === 'string' && sequence !== undefined) return nameOf(delivered);
      const id = text(event.id) ?? text(object(event.pathParameters).id);
      // The payload is a whole S3 event or only its detail.
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
