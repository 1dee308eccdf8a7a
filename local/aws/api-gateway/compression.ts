import { promisify } from 'node:util';
import { deflate, gunzip, gzip, inflate } from 'node:zlib';
import type { ApiDefinition } from './api-definition.ts';
import { gatewayErrors } from './gateway-responses.ts';
import { type ApiRequest, header, maxBodyBytes } from './request.ts';
import type { ApiResponse } from './response.ts';

type Transform = (bytes: Buffer, options?: { maxOutputLength: number }) => Promise<Buffer>;

/** The content codings of a REST API. */
const codings: Readonly<Record<string, { pack: Transform; unpack: Transform }>> = {
  gzip: { pack: promisify(gzip), unpack: promisify(gunzip) },
  deflate: { pack: promisify(deflate), unpack: promisify(inflate) },
  identity: { pack: async (bytes) => bytes, unpack: async (bytes) => bytes },
};
const codingOf = (name: string) => (Object.hasOwn(codings, name) ? codings[name] : undefined);

/**
 * Unpacks a body by its `Content-Encoding`. This does not depend on the API's settings.
 * @throws GatewayError 415 for any other coding, and for a body that does not have its coding; 413 when the result is too large
 */
export async function unpackBody(request: Pick<ApiRequest, 'headers'>, body: Buffer): Promise<Buffer> {
  const names = request.headers.filter(([name]) => name.toLowerCase() === 'content-encoding').map(([, value]) => value);
  if (names.length === 0 || body.length === 0) return body;
  const coding = codingOf(names.join(',').trim().toLowerCase());
  if (!coding) throw gatewayErrors.unsupportedMediaType;
  return coding.unpack(body, { maxOutputLength: maxBodyBytes }).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ERR_BUFFER_TOO_LARGE' ? gatewayErrors.requestTooLarge : gatewayErrors.unsupportedMediaType;
  });
}

/**
 * Packs the response of an integration if the API has a `MinimumCompressionSize`, the body has that size, the integration has not packed it
 * itself, and a coding that the client names with its highest priority is one of the API's. An asterisk names none.
 */
export async function packResponse(
  { minimum_compression_size: minimum }: Pick<ApiDefinition, 'minimum_compression_size'>,
  request: Pick<ApiRequest, 'headers'>,
  response: ApiResponse,
): Promise<ApiResponse> {
  if (minimum === undefined || response.body.length < minimum) return response;
  if (response.headers.some(([name]) => name.toLowerCase() === 'content-encoding')) return response;
  const name = preferredCoding(header(request, 'accept-encoding') ?? '');
  const coding = name === undefined || name === 'identity' ? undefined : codingOf(name);
  if (name === undefined || !coding) return response;
  return {
    ...response,
    headers: [...response.headers, ['Content-Encoding', name]],
    body: await coding.pack(response.body),
  };
}

function preferredCoding(accepted: string): string | undefined {
  const priorities = accepted.split(',').map((part) => {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const quality = parameters.find((parameter) => /^q\s*=/.test(parameter))?.replace(/^q\s*=\s*/, '') ?? '1';
    return { name, quality: Number(quality) || 0 };
  });
  const highest = Math.max(...priorities.map(({ quality }) => quality));
  if (highest <= 0) return undefined;
  return priorities.find(({ name, quality }) => quality === highest && codingOf(name))?.name;
}
