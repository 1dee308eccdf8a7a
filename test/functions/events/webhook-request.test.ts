import { createSocket } from 'node:dgram';
import dns from 'node:dns';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ResolveName, sendWebhook, type WebhookRequest } from '../../../functions/events/webhook-request.ts';
import { selfSigned } from './certificate.ts';

const secretPath = 'T0/B0/very-secret-path?token=very-secret-token';
const request = { body: '{"type":"webhook.test"}', headers: { 'content-type': 'application/json' } };

/** What leaves the process: names that were looked up, and addresses that were connected to. */
let lookups: string[];
let connections: string[];
const open: Server[] = [];
const { connect } = Socket.prototype;
beforeEach(() => {
  [lookups, connections] = [[], []];
  vi.spyOn(Socket.prototype, 'connect').mockImplementation(function (this: Socket, ...to: unknown[]) {
    this.on('connectionAttempt', (address, port) => connections.push(`${address} ${port}`));
    return Reflect.apply(connect, this, to);
  } as never);
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const server of open.splice(0)) {
    if ('closeAllConnections' in server) (server as ReturnType<typeof createHttpServer>).closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listen(server: Server): Promise<number> {
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const serve = (listener: RequestListener) => listen(createHttpServer(listener));
/** A server below HTTP. */
const serveBytes = (answer: (socket: Socket) => void) =>
  listen(
    createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => answer(socket));
    }),
  );

const resolvesTo =
  (...answers: string[][]): ResolveName =>
  async (hostname) => {
    lookups.push(hostname);
    const addresses = answers[Math.min(lookups.length, answers.length) - 1]!;
    return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };

const send = (given: Pick<WebhookRequest, 'url'> & Partial<WebhookRequest>) =>
  sendWebhook({ ...request, loopback: false, resolve: resolvesTo(['127.0.0.1']), ...given });
const sendTo = (port: number, given: Partial<WebhookRequest> = {}) =>
  send({ url: `http://127.0.0.1:${port}/${secretPath}`, loopback: true, ...given });

/** A public address of no web server, so that the connection fails. */
const publicAddress = '2001:4860:ffff::1';
const notPublic = 'The host has an address that is not on the public internet.';

describe('a webhook cannot reach a private network', () => {
  test.each([
    ...[
      '127.0.0.1',
      '127.1',
      '127.0.1',
      '0x7f.1',
      '0177.0.0.1',
      '2130706433',
      '0x7f000001',
      '017700000001',
      '0',
      '0.0.0.0',
    ],
    ...[
      '10.0.0.1',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.0.1',
      '100.64.0.1',
      '198.18.0.1',
      '224.0.0.1',
      '255.255.255.255',
    ],
    ...[
      '169.254.169.254',
      '2852039166',
      '0xa9fea9fe',
      '025177524776',
      '0251.0376.0251.0376',
      '0xa9.254.0251.254',
      '169.16689662',
    ],
    ...[
      '169.254.169.254.',
      '１６９.２５４.１６９.２５４',
      '169。254。169。254',
      '%31%36%39.254.169.254',
      '100.100.100.200',
    ],
    ...['[::1]', '[::]', '[0:0:0:0:0:0:0:1]', '[fd00:ec2::254]', '[fe80::1]', '[fc00::1]', '[ff02::1]', '[fec0::1]'],
    ...['[::ffff:127.0.0.1]', '[::ffff:a9fe:a9fe]', '[::ffff:0:127.0.0.1]', '[::127.0.0.1]'],
    ...['[2002:a9fe:a9fe::]', '[2002:7f00:1::1]', '[64:ff9b::169.254.169.254]', '[64:ff9b:1::a9fe:a9fe]', '[2001::1]'],
    ...['localhost', 'LOCALHOST', 'localhost.', 'a.localhost', 'instance-data', 'metadata.google.internal', 'a.local'],
  ])('as https://%s/', async (host) => {
    for (const url of [`https://${host}/`, `https://${host}:8443/latest/meta-data`]) {
      expect(await send({ url })).toEqual({ error: notPublic, milliseconds: expect.any(Number) });
    }
    expect([lookups, connections]).toEqual([[], []]);
  });

  test.each([
    ['http://example.com/', 'URLs of this scheme are not accepted. Give one that starts with https://.'],
    ['file:///etc/passwd', 'URLs of this scheme are not accepted.'],
    ['gopher://example.com:6379/', 'URLs of this scheme are not accepted.'],
    ['https://user:password@example.com/', 'The URL holds a user name or password.'],
    ['https://user@example.com/', 'The URL holds a user name or password.'],
    ['https://example.com@127.0.0.1/', 'The URL holds a user name or password.'],
    ['https:///127.0.0.1/', 'This is no valid URL.'],
    ['https://example.com\\@127.0.0.1/', 'This is no valid URL.'],
    ['https://exa mple.com/', 'This is no valid URL.'],
    ['https://example.com/\r\nhost:127.0.0.1', 'This is no valid URL.'],
    ['https://[fe80::1%25eth0]/', 'This is no valid URL.'],
    ['https://example.com:65536/', 'This is no valid URL.'],
    ['https://1.2.3.256/', 'This is no valid URL.'],
  ])('as %j', async (url, message) => {
    const { error, status } = await send({ url });
    expect(error).toContain(message);
    expect(status).toBeUndefined();
    expect([lookups, connections]).toEqual([[], []]);
  });

  test.each([
    ['only a private address', ['10.0.0.1']],
    ['the metadata address', ['169.254.169.254']],
    ['an IPv4 address within IPv6', ['::ffff:127.0.0.1']],
    ['a public address, then a private one', [publicAddress, '127.0.0.1']],
    ['a private address, then a public one', ['::1', publicAddress]],
    ['a 6to4 address', ['2002:7f00:1::']],
    ['something that is no address', ['localhost']],
  ])('by a name with %s', async (_, addresses) => {
    const port = await serve((_, response) => response.end());
    const url = `https://rebind.example:${port}/${secretPath}`;
    expect(await send({ url, resolve: resolvesTo(addresses) })).toMatchObject({ error: notPublic });
    expect([lookups, connections]).toEqual([['rebind.example'], []]);
  });

  test('by a name whose second lookup is private: the checked address is the one that is connected to', async () => {
    const port = await serve((_, response) => response.end());
    const rebinding = resolvesTo([publicAddress], ['127.0.0.1']);
    const url = `https://rebind.example:${port}/`;
    const first = await send({ url, resolve: rebinding, timeout: 300 });
    expect(first.status).toBeUndefined();
    expect(first.error).not.toBe(notPublic);
    expect([lookups, connections]).toEqual([['rebind.example'], [`${publicAddress} ${port}`]]);
    expect(await send({ url, resolve: rebinding })).toMatchObject({ error: notPublic });
    expect(connections).toHaveLength(1);
  });

  test('by a redirect, which is not followed and is a failure', async () => {
    const reached: string[] = [];
    const port = await serve(({ url }, response) => {
      reached.push(url!);
      response.writeHead(307, { location: `http://127.0.0.1:${port}/internal` }).end();
    });
    expect(await sendTo(port)).toMatchObject({
      status: 307,
      error: 'The receiver answered with a redirect, which is not followed. Set the final URL.',
    });
    expect(reached).toEqual([`/${secretPath}`]);
  });

  test('over http or on this computer, unless the deployment allows it', async () => {
    const port = await serve((_, response) => response.end());
    expect(await sendTo(port, { loopback: false })).toMatchObject({ error: expect.stringContaining('scheme') });
    expect(connections).toEqual([]);
    expect(await sendTo(port)).toMatchObject({ status: 200 });
    expect(await send({ url: `http://localhost:${port}/`, loopback: true })).toMatchObject({ status: 200 });
    for (const host of ['10.0.0.1', '169.254.169.254', '127.0.0.2', '[::1]', 'localhost.', '0.0.0.0']) {
      expect(await send({ url: `http://${host}:${port}/`, loopback: true, timeout: 300 })).not.toHaveProperty('status');
    }
    expect(connections).toEqual([`127.0.0.1 ${port}`, `127.0.0.1 ${port}`]);
  });
});

describe('a receiver', () => {
  test('gets the exact body and headers, on a connection of its own', async () => {
    const received: object[] = [];
    const ports = new Set<number>();
    const port = await serve(async (incoming, response) => {
      ports.add(incoming.socket.remotePort!);
      const { method, url, headers } = incoming;
      received.push({ method, url, type: headers['content-type'], body: await text(incoming) });
      response.writeHead(204).end();
    });
    const body = '{"metadata":{"name":"Žluťoučký 猫"}}';
    for (let count = 0; count < 2; count++) {
      expect(await sendTo(port, { body })).toEqual({ status: 204, milliseconds: expect.any(Number) });
    }
    expect(received[1]).toEqual({ method: 'POST', url: `/${secretPath}`, type: 'application/json', body });
    expect(ports.size).toBe(2);
  });

  test.each([400, 404, 410, 429, 500, 503])('that answers %i has failed', async (status) => {
    const port = await serve((_, response) => response.writeHead(status).end('very-secret-answer'));
    expect(await sendTo(port)).toEqual({
      status,
      error: `The receiver answered with status ${status}.`,
      milliseconds: expect.any(Number),
    });
  });

  test('that switches protocols has failed, and its connection ends', async () => {
    let closed: Promise<unknown> | undefined;
    const port = await serveBytes((socket) => {
      closed = new Promise((resolve) => socket.once('close', resolve));
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    });
    const answer = await sendTo(port, { timeout: 2000 });
    expect(answer).toMatchObject({ status: 101, error: 'The receiver answered with status 101.' });
    await closed;
  }, 5000);

  test('that sends an endless body is cut off after 64 KB', async () => {
    let sent = 0;
    const port = await serve((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384))) sent += 16_384;
      };
      response.on('drain', more);
      more();
    });
    const { status, milliseconds } = await sendTo(port);
    expect(status).toBe(200);
    expect(milliseconds).toBeLessThan(9000);
    // What the buffers of both sides hold is more than what is read.
    expect(sent).toBeLessThan(20_000_000);
  });

  test('that sends a body slowly is cut off when the time is over; its status counts', async () => {
    const timers: NodeJS.Timeout[] = [];
    const port = await serve((_, response) => {
      response.writeHead(200);
      timers.push(setInterval(() => response.write('.'), 20));
    });
    const { status, error, milliseconds } = await sendTo(port, { timeout: 400 });
    for (const timer of timers) clearInterval(timer);
    expect({ status, error }).toEqual({ status: 200 });
    expect(milliseconds).toBeGreaterThanOrEqual(390);
    expect(milliseconds).toBeLessThan(9000);
  });

  test.each<[string, (socket: Socket) => void, string]>([
    ['never answers', () => undefined, 'The receiver did not answer within 10 seconds.'],
    [
      'sends headers slowly',
      slowly('HTTP/1.1 200 OK\r\n', 'x-a: b\r\n'),
      'The receiver did not answer within 10 seconds.',
    ],
    [
      'sends endless informational answers',
      slowly('', 'HTTP/1.1 102 Processing\r\n\r\n'),
      'The receiver did not answer within 10 seconds.',
    ],
    ['sends headers without end', (socket) => endless(socket), 'The request failed (HPE_HEADER_OVERFLOW).'],
    ['answers with something else', (socket) => socket.end('SSH-2.0-OpenSSH_9\r\n'), 'The request failed (HPE_'],
    ['hangs up', (socket) => socket.destroy(), 'The request failed (ECONNRESET).'],
  ])('that %s has failed', async (_, answer, message) => {
    const { status, error, milliseconds } = await sendTo(await serveBytes(answer), {
      timeout: message.includes('10 seconds') ? 500 : 10_000,
    });
    expect(error).toContain(message);
    expect(status).toBeUndefined();
    expect(milliseconds).toBeLessThan(9000);
  });

  test('that is down has failed', async () => {
    const server = createTcpServer();
    const port = await listen(server);
    await new Promise((resolve) => open.pop()!.close(resolve));
    expect(await sendTo(port)).toMatchObject({ error: 'The receiver refused the connection.' });
  });

  test('whose certificate no authority has signed gets nothing, whatever the environment allows', async () => {
    let requests = 0;
    const port = await listen(createHttpsServer(selfSigned(), () => requests++));
    const given = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    try {
      for (const value of [undefined, '0']) {
        if (value) process.env.NODE_TLS_REJECT_UNAUTHORIZED = value;
        const { error } = await send({ url: `https://localhost:${port}/${secretPath}`, loopback: true });
        expect(error).toBe('The request failed (DEPTH_ZERO_SELF_SIGNED_CERT).');
      }
    } finally {
      if (given === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = given;
    }
    expect(requests).toBe(0);
  });

  test('that does not speak TLS has failed', async () => {
    const port = await serve((_, response) => response.end());
    const { error } = await send({ url: `https://127.0.0.1:${port}/${secretPath}`, loopback: true });
    expect(error).toMatch(/^The request failed \((ERR_SSL_\w+|EPROTO|ECONNRESET)\)\.$/);
  });

  test('whose name has no address, or no answer, has failed', async () => {
    const missing: ResolveName = async () => {
      throw Object.assign(new Error('getaddrinfo ENOTFOUND very-secret'), { code: 'ENOTFOUND' });
    };
    const url = `https://missing.example/${secretPath}`;
    expect(await send({ url, resolve: missing })).toMatchObject({ error: 'The host does not exist.' });
    expect(await send({ url, resolve: resolvesTo([]) })).toMatchObject({ error: 'The host does not exist.' });
    const hanging: ResolveName = () => new Promise(() => undefined);
    expect(await send({ url, resolve: hanging, timeout: 200 })).toMatchObject({
      error: 'The receiver did not answer within 10 seconds.',
    });
  });
});

test('a name whose servers are silent does not delay the lookups of others', async () => {
  const nameServer = createSocket('udp4');
  nameServer.on('message', (query, { port }) => {
    if (query.includes('silent')) return;
    const question = query.subarray(12, query.indexOf(0, 12) + 5);
    const isIpv4 = question.at(-3) === 1;
    const header = Buffer.from([query[0]!, query[1]!, 0x81, 0x80, 0, 1, 0, isIpv4 ? 1 : 0, 0, 0, 0, 0]);
    const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 10, 0, 0, 1]);
    nameServer.send(Buffer.concat([header, question, ...(isIpv4 ? [record] : [])]), port, '127.0.0.1');
  });
  await new Promise<void>((resolve) => nameServer.bind(0, '127.0.0.1', resolve));
  const servers = dns.getServers();
  dns.setServers([`127.0.0.1:${nameServer.address().port}`]);
  try {
    const sendBySystem = (host: string, timeout: number) =>
      sendWebhook({ ...request, url: `https://${host}/`, loopback: false, timeout });
    const silent = Array.from({ length: 20 }, (_, index) => sendBySystem(`silent-${index}.example.com`, 1500));
    expect(await sendBySystem('private.example.com', 1000)).toMatchObject({ error: notPublic });
    for (const { error } of await Promise.all(silent))
      expect(error).toBe('The receiver did not answer within 10 seconds.');
  } finally {
    dns.setServers(servers);
    nameServer.close();
  }
});

test('no error contains the path, the query or the answer of a webhook', async () => {
  const closed = await serveBytes((socket) => socket.end('HTTP/1.1 very-secret\r\n\r\n'));
  const urls = [
    `http://127.0.0.1:${closed}/${secretPath}`,
    `https://127.0.0.1:${closed}/${secretPath}`,
    `https://very-secret:very-secret@example.com/${secretPath}`,
    `https://10.0.0.1/${secretPath}`,
    `very-secret://${secretPath}`,
    `https://exa mple/${secretPath}`,
    `https://example.com/${'very-secret'.repeat(1000)}`,
  ];
  for (const url of urls) {
    const answer = await send({ url, loopback: true, timeout: 500 });
    expect(answer.error).toBeTruthy();
    expect(JSON.stringify(answer)).not.toContain('very-secret');
  }
});

/** Sends a start, then one piece after another until the client closes the connection. */
function slowly(start: string, piece: string): (socket: Socket) => void {
  return (socket) => {
    socket.write(start);
    const timer = setInterval(() => socket.write(piece), 20);
    socket.on('close', () => clearInterval(timer));
  };
}

function endless(socket: Socket): void {
  socket.write('HTTP/1.1 200 OK\r\n');
  const more = () => {
    while (!socket.destroyed && socket.write(`x-padding: ${'a'.repeat(1000)}\r\n`));
  };
  socket.on('drain', more);
  more();
}
