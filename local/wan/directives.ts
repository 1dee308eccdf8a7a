import { type Checked, refuse } from './errors.ts';

/** What a prompt tells the emulator to do; see this folder's README, "Directing the emulator". */
export interface Directives {
  /** End FAILED with this code. */
  readonly fail?: string;
  /** Run this many seconds instead of the configured ones. */
  readonly seconds?: number;
  /** Stay PENDING at least this many seconds. */
  readonly pending?: number;
  /** Forget the task: queries say UNKNOWN, the list leaves it out. */
  readonly unknown?: true;
  /** Serve half the MP4, as if that were all of it. */
  readonly truncate?: true;
  /** Cut this many downloads halfway. */
  readonly drop?: number;
  /** Create the task, then cut the submit's connection without an answer. */
  readonly reset?: true;
  /** Refuse the submit: always, or the first `times` times this account sends this prompt. */
  readonly http?: { readonly status: number; readonly code: string; readonly times?: number };
}

const pattern = /\[\[\s*(fail|seconds|pending|unknown|truncate|drop|reset|http)\s*(?:=\s*([^\]]*?)\s*)?\]\]/g;

const howTo: Readonly<Record<string, string>> = {
  fail: '[[fail=CODE]]',
  seconds: '[[seconds=N]] with a number of seconds',
  pending: '[[pending=N]] with a number of seconds',
  unknown: '[[unknown]]',
  truncate: '[[truncate]]',
  drop: '[[drop=N]] with a number of downloads',
  reset: '[[reset]]',
  http: '[[http=STATUS:CODE]] or [[http=STATUS:CODE*TIMES]] with a status of 400 to 599',
};

/**
 * Reads the directives of a prompt. Other text in double brackets is left alone; a directive that can't be read is
 * refused with a sentence that shows how it is written, so that a typing mistake is not taken for a success.
 */
export function readDirectives(prompt: string): Checked<Directives> {
  let directives: Directives = {};
  for (const [text, name = '', value] of prompt.matchAll(pattern)) {
    const read = readOne(name, value);
    if (!read)
      return { refusal: refuse('InvalidParameter', `Wan emulator: can't read ${text}; write ${howTo[name]}.`) };
    directives = { ...directives, ...read };
  }
  return { value: directives };
}

function readOne(name: string, value: string | undefined): Directives | undefined {
  switch (name) {
    case 'unknown':
    case 'truncate':
    case 'reset':
      return value === undefined ? { [name]: true } : undefined;
    case 'fail':
      return value && /^[\w.]+$/.test(value) ? { fail: value } : undefined;
    case 'drop':
      return value && /^\d{1,6}$/.test(value) ? { drop: Number(value) } : undefined;
    case 'seconds':
    case 'pending':
      return value && /^\d{1,6}(\.\d+)?$/.test(value) ? { [name]: Number(value) } : undefined;
    case 'http': {
      const parts = /^([45]\d\d):([\w.]+)(?:\*(\d{1,6}))?$/.exec(value ?? '');
      if (!parts?.[2]) return undefined;
      return { http: { status: Number(parts[1]), code: parts[2], ...(parts[3] && { times: Number(parts[3]) }) } };
    }
  }
  return undefined;
}
