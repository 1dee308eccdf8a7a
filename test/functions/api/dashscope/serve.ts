import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { readUploadToken } from '../../../../functions/api/auth/upload-token.ts';
import type { DashscopeRequest } from '../../../../functions/api/dashscope/services.ts';
import type { Table } from '../../../../functions/video/table.ts';
import { aDashscope, aDashscopeRequest, stage } from './support.ts';

/** Serves the routes over HTTP below a stage, and authorizes `Bearer <owner>` or an upload token. */
export async function serveDashscope(table: Table, overrides: Parameters<typeof aDashscope>[1] = {}) {
  const dashscope = aDashscope(table, overrides);
  const requests: { method: string; url: string; headers: IncomingMessage['headers']; body: Buffer }[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const { method = '', url = '', headers } = incoming;
    requests.push({ method, url, headers, body: Buffer.concat(chunks) });
    const response = await authorized(dashscope.handle, table, incoming, Buffer.concat(chunks));
    outgoing.writeHead(response.statusCode, response.headers as Record<string, string>).end(response.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const close = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
  const { port } = server.address() as AddressInfo;
  return { ...dashscope, requests, url: `http://127.0.0.1:${port}${stage}/api/v1`, close };
}

async function authorized(
  handle: (request: DashscopeRequest) => Promise<APIGatewayProxyResult>,
  table: Table,
  { method = '', url = '', headers: raw }: IncomingMessage,
  body: Buffer,
): Promise<APIGatewayProxyResult> {
  const refused = (statusCode: number, code: string, message: string): APIGatewayProxyResult => ({
    statusCode,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code, message, request_id: 'the gateway' }),
  });
  const prefix = `${stage}/api/v1/`;
  if (!url.startsWith(prefix)) return refused(404, 'NotFound', 'The route does not exist.');
  const address = new URL(url, 'http://127.0.0.1');
  const headers = Object.fromEntries(Object.entries(raw).map(([name, value]) => [name, String(value)]));
  const path = url.slice(prefix.length);
  const isForm = method === 'POST' && /^uploads[/?]/.test(path);
  const [, owner] = /^Bearer (?!sk-invalid)(\S+)$/.exec(headers.authorization ?? '') ?? [];
  const grant = isForm ? await readUploadToken(table, address.searchParams.get('upload_token') ?? '') : undefined;
  const caller = isForm ? grant : owner ? { owner } : undefined;
  if (!caller) return refused(401, 'InvalidApiKey', 'Invalid API-key provided.');
  const isMultipart = /^multipart\/form-data/.test(headers['content-type'] ?? '');
  const request = aDashscopeRequest({
    ...{ method, path, headers: { ...headers, 'X-Forwarded-Proto': 'http' }, ...caller },
    ...(body.length === 0 ? {} : { body: isMultipart ? body : body.toString('utf8') }),
  });
  const { requestContext } = request;
  return handle({ ...request, requestContext: { ...requestContext, domainName: String(raw.host) } });
}
