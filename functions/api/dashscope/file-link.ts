import { createHmac, timingSafeEqual } from 'node:crypto';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { isFileExpired } from '../../video/record.ts';
import { readVideo } from '../../video/store.ts';
import { DashscopeError } from './errors.ts';
import type { DashscopeRequest, DashscopeServices } from './services.ts';
import { urlOf } from './upload-policy.ts';

/** The route of the links, as the API names it. It takes no key: the token in its path is the credential. */
export const fileRoute = '/api/v1/files/{file}';

/** As long as Wan's links: clients store them and fetch the file later. */
const LIFETIME_SECONDS = 24 * 3600;

/** A token consists of the video's id, the time at which it expires in seconds since 1970, and their HMAC. */
const ID_BYTES = 16;
const PAYLOAD_BYTES = ID_BYTES + 4;
const MAC_BYTES = 32;

/** Separates these signatures from any other use of the key. */
const context = 'firstframe file link 1\n';

/** The `video_url` of a succeeded task: valid for 24 hours without a key. @param request of the task, whose URL shows the address */
export async function createFileLink(
  { table, fileKey }: Pick<DashscopeServices, 'table' | 'fileKey'>,
  request: DashscopeRequest,
  id: string,
): Promise<string> {
  const payload = Buffer.alloc(PAYLOAD_BYTES);
  payload.write(id.replaceAll('-', ''), 'hex');
  payload.writeUInt32BE(Math.ceil(table.now() / 1000) + LIFETIME_SECONDS, ID_BYTES);
  const token = Buffer.concat([payload, macOf(await fileKey(), payload)]).toString('base64url');
  return `${urlOf(request).replace(/\/tasks\/[^/]*$/, '')}/files/${token}.mp4`;
}

/**
 * `GET files/{token}.mp4`: a redirect to a fresh presigned link of the archived video. S3 serves the file itself, ranges included. A
 * presigned link is for one method, so HEAD gets its own.
 * @throws DashscopeError 403 for an invalid or expired token, 404 for a deleted video
 */
export async function redirectToFile(
  { table, fileKey, linkTo }: DashscopeServices,
  { pathParameters, httpMethod }: DashscopeRequest,
): Promise<APIGatewayProxyResult> {
  const [, token = ''] = /^([\w-]{1,100})\.mp4$/.exec(pathParameters?.file ?? '') ?? [];
  const id = readToken(await fileKey(), token, table.now());
  const video = await readVideo(table, id);
  if (!video?.video || isFileExpired(video, table.now())) {
    throw new DashscopeError('NotFound', 'The video of this link was deleted. Create a new task to get another video.');
  }
  const { video: archived } = video;
  const { content_type } = archived;
  const method = httpMethod === 'HEAD' ? 'HEAD' : 'GET';
  const location = await linkTo(archived, { file_name: `${id}.mp4`, content_type }, method);
  return { statusCode: 302, headers: { location, 'cache-control': 'no-store' }, body: '' };
}

/** Returns the id of the video in a token. @throws DashscopeError for an invalid or expired one */
function readToken(key: string, token: string, now: number): string {
  const bytes = Buffer.from(token, 'base64url');
  const payload = bytes.subarray(0, PAYLOAD_BYTES);
  const mac = bytes.subarray(PAYLOAD_BYTES);
  const isSigned =
    mac.byteLength === MAC_BYTES && bytes.toString('base64url') === token && timingSafeEqual(mac, macOf(key, payload));
  if (!isSigned) throw refused('The link is invalid.');
  if (payload.readUInt32BE(ID_BYTES) * 1000 <= now) throw refused('The link has expired.');
  return payload.toString('hex', 0, ID_BYTES).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

const refused = (reason: string) =>
  new DashscopeError('AccessDenied', `${reason} Query the task again to get a new video_url.`);

function macOf(key: string, payload: Uint8Array): Buffer {
  if (key === '') throw new Error('The secret that signs links to files is empty.');
  return createHmac('sha256', key).update(context).update(payload).digest();
}
