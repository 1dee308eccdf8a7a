import { randomUUID } from 'node:crypto';
import type { Endpoint } from '../support/endpoint.ts';
import { createFormWriter } from './forms.ts';
import type { FuzzRequest, Id } from './requests.ts';
import type { RawRequest } from './send.ts';

/** Ids of existing videos. */
export interface KnownIds {
  own: readonly string[];
  other: readonly string[];
}

/** Creates a function that fills in what is only known at run time: keys, ids of videos, policies of uploads. */
export function createRequestWriter(api: Endpoint, known: KnownIds): (request: FuzzRequest) => Promise<RawRequest> {
  const root = new URL(api.url).pathname.replace(/\/$/, '');
  const writeForm = createFormWriter(api);
  return async (request) => {
    const form = request.form && (await writeForm(request.form));
    const path = encodePath(request.path.replace(/\{(task_)?id\}/, () => encodeId(idOf(request.id, known))));
    const query = form?.query ?? request.query;
    const own = form ? ([['Content-Type', form.contentType]] as const) : request.headers;
    return {
      method: request.method,
      target: `${root}${path}${query && `?${query}`}`,
      headers: [...keyHeaders(api, request.credentials), ...own].map(([name, value]) => [name, latin1(value)] as const),
      body: form?.body ?? request.body,
    };
  };
}

function idOf(id: Id, known: KnownIds): string {
  if (id.kind === 'text') return id.text;
  if (id.kind === 'never') return randomUUID();
  // Recent ids, since older videos may have been deleted.
  const ids = known[id.kind].slice(-6);
  return ids[id.index % ids.length]!;
}

function keyHeaders({ api_key, other_api_key }: Endpoint, credentials: FuzzRequest['credentials']): [string, string][] {
  switch (credentials) {
    case 'own':
      return [['Authorization', `Bearer ${api_key}`]];
    case 'other':
      return [['authorization', `bearer  ${other_api_key}`]];
    case 'none':
      return [];
    case 'wrong':
      return [['Authorization', 'Bearer ff_wrong']];
    case 'twice':
      return [
        ['Authorization', `Bearer ${api_key}`],
        ['authorization', `Bearer ${other_api_key}`],
      ];
    case 'scheme':
      return [['Authorization', `Basic ${Buffer.from(`${api_key}:`).toString('base64')}`]];
    case 'long':
      return [['Authorization', `Bearer ${'x'.repeat(3000)}`]];
  }
}

/** Encodes an id for a path. An id of only dots would be a relative path. */
const encodeId = (id: string): string =>
  /^\.+$/.test(id) ? id.replaceAll('.', '%2E') : encodeURIComponent(id.replaceAll(/\p{Surrogate}/gu, '\ufffd'));

/** Encodes a path, which may only contain ASCII. */
const encodePath = (path: string): string =>
  path.replaceAll(/[^\x21-\x7e]/gu, (character) => encodeURIComponent(character));

/** Encodes a header value, which may only contain bytes without control characters. */
const latin1 = (text: string): string =>
  Buffer.from(text, 'utf8')
    .toString('latin1')
    .replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '?');
