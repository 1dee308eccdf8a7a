import { apiError, type Checked } from './errors.ts';

/** Behavior that a prompt requests from the emulator; see README.md, "Directing the emulator". */
export interface Directives {
  /** The task ends FAILED with this code. */
  readonly fail?: string;
  /** The task runs this many seconds instead of the configured ones. */
  readonly seconds?: number;
  /** The task stays PENDING for at least this many seconds. */
  readonly pending?: number;
  /** The length of the video in seconds for `duration: -1`. */
  readonly length?: number;
  /** Queries return this status instead of RUNNING. */
  readonly status?: string;
  /** Host of the result URL, with or without a port. */
  readonly host?: string;
  /** How a download without a range is served: without a length, compressed, or as a range of everything. */
  readonly serve?: 'chunked' | 'gzip' | '206';
  /** Queries return UNKNOWN, and the list omits the task. */
  readonly unknown?: true;
  /** Half of the MP4 is served as if it were complete. */
  readonly truncate?: true;
  /** This many downloads are cut halfway. */
  readonly drop?: number;
  /** The task is created, then the connection is reset without a response. */
  readonly reset?: true;
  /** The submission is rejected: always, or the first `times` times that this account sends this prompt. */
  readonly http?: { readonly status: number; readonly code: string; readonly times?: number };
}

const pattern =
  /\[\[\s*(fail|seconds|pending|length|status|host|serve|unknown|truncate|drop|reset|http)\s*(?:=\s*([^\]]*?)\s*)?\]\]/g;

const syntax: Readonly<Record<string, string>> = {
  fail: '[[fail=CODE]]',
  seconds: '[[seconds=N]] with a number of seconds',
  pending: '[[pending=N]] with a number of seconds',
  length: '[[length=N]] with 2 to 30 seconds, whole or half ones',
  status: '[[status=WORD]]',
  host: '[[host=HOST]] or [[host=HOST:PORT]]',
  serve: '[[serve=chunked]], [[serve=gzip]] or [[serve=206]]',
  unknown: '[[unknown]]',
  truncate: '[[truncate]]',
  drop: '[[drop=N]] with a number of downloads',
  reset: '[[reset]]',
  http: '[[http=STATUS:CODE]] or [[http=STATUS:CODE*TIMES]] with a status of 400 to 599',
};

/**
 * Reads the directives of a prompt. Other text in double brackets is ignored. An invalid directive is rejected with its
 * syntax, so that a typing error is not mistaken for a success.
 */
export function readDirectives(prompt: string): Checked<Directives> {
  let directives: Directives = {};
  for (const [text, name = '', value] of prompt.matchAll(pattern)) {
    const read = readOne(name, value);
    if (!read)
      return { error: apiError('InvalidParameter', `Wan emulator: cannot read ${text}; write ${syntax[name]}.`) };
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
    case 'length':
      return value && /^\d{1,2}(\.5)?$/.test(value) && Number(value) >= 2 && Number(value) <= 30
        ? { length: Number(value) }
        : undefined;
    case 'status':
      return value && /^\w+$/.test(value) ? { status: value } : undefined;
    case 'host':
      return value && /^[a-z0-9.-]+(:\d{1,5})?$/i.test(value) ? { host: value } : undefined;
    case 'serve':
      return value === 'chunked' || value === 'gzip' || value === '206' ? { serve: value } : undefined;
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
