import { describe, expect, test } from 'vitest';
import { checkPublicUrl, isPublicAddress, parseS3Url } from '../../../../functions/wan/validation/public-url.ts';

const codeOf = (text: string, trustedOrigins: string[] = []) => {
  const checked = checkPublicUrl(text, { trustedOrigins });
  return checked.ok ? 'ok' : checked.code;
};

describe('checkPublicUrl', () => {
  test.each([
    'https://example.com/cat.png',
    'http://example.com:8080/cat.png?a=b',
    'https://8.8.8.8/cat.png',
    'https://[2606:4700::1111]/cat.png',
    'https://bücher.example/ä.png',
    'https://172.15.0.1/',
    'https://172.32.0.1/',
    'https://100.128.0.1/',
  ])('accepts %s', (url) => {
    expect(codeOf(url)).toBe('ok');
  });

  test.each([
    ...['localhost', 'LOCALHOST.', 'a.localhost', '127.0.0.1', '127.1', '0x7f000001', '2130706433', '0177.0.0.1', '0'],
    ...[
      '10.0.0.1',
      '10.255.255.255',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.1.1',
      '169.254.169.254',
      '100.100.100.200',
    ],
    ...['0.0.0.0', '192.0.2.1', '198.18.0.1', '224.0.0.1', '255.255.255.255', '１２７.0.0.1', '127。0。0。1'],
    ...[
      '[::1]',
      '[::]',
      '[fe80::1]',
      '[fc00::1]',
      '[fd00:ec2::254]',
      '[ff02::1]',
      '[::ffff:127.0.0.1]',
      '[::ffff:8.8.8.8]',
    ],
    ...[
      '[::127.0.0.1]',
      '[64:ff9b::7f00:1]',
      '[2002:7f00:1::]',
      '[2001:db8::1]',
      '[2001:0:7f00:1::]',
      '[0:0:0:0:0:ffff:7f00:1]',
    ],
    ...['intranet', 'metadata.google.internal', 'printer.local', 'router.lan', 'nas.home.arpa', 'a.internal.'],
  ])('refuses %s as private', (host) => {
    expect(codeOf(`http://${host}/latest/meta-data`)).toBe('private_url');
    expect(codeOf(`https://${host}:8443/`)).toBe('private_url');
  });

  test.each([
    ['ftp://example.com/a', 'unsupported_url_scheme'],
    ['file:///etc/passwd', 'unsupported_url_scheme'],
    ['javascript:alert(1)', 'unsupported_url_scheme'],
    ['oss://dashscope/a.png', 'unsupported_url_scheme'],
    ['s3://bucket/key', 'unsupported_url_scheme'],
    ['https://user:secret@example.com/', 'credentials_in_url'],
    ['https://user@example.com/', 'credentials_in_url'],
    ['', 'invalid_url'],
    ['example.com/cat.png', 'invalid_url'],
    ['//example.com/cat.png', 'invalid_url'],
    ['https:example.com', 'invalid_url'],
    ['https:///example.com', 'invalid_url'],
    ['https://', 'invalid_url'],
    [' https://example.com', 'invalid_url'],
    ['https://exa\tmple.com/', 'invalid_url'],
    ['https://example.com/a b', 'invalid_url'],
    ['https://example.com\\@127.0.0.1/', 'invalid_url'],
    ['https://example.com/\u0000', 'invalid_url'],
    [`https://example.com/${'a'.repeat(8192)}`, 'url_too_long'],
    [`https://example.com/${'ä'.repeat(2000)}`, 'url_too_long'],
    // The kind is judged before the length.
    [`ftp://example.com/${'a'.repeat(8192)}`, 'unsupported_url_scheme'],
    [`data:audio/mpeg;base64,${'A'.repeat(8192)}`, 'unsupported_url_scheme'],
    [`oss://dashscope/${'a'.repeat(8192)}`, 'unsupported_url_scheme'],
    ['A'.repeat(100_000), 'invalid_url'],
  ])('answers %j with %s', (url, code) => {
    expect(codeOf(url)).toBe(code);
  });

  test('trusts exactly the given origin', () => {
    const trusted = ['http://127.0.0.1:4401'];
    expect(codeOf('http://127.0.0.1:4401/a.png', trusted)).toBe('ok');
    expect(codeOf('http://127.1:4401/a.png', trusted)).toBe('ok');
    expect(codeOf('http://127.0.0.1:4402/a.png', trusted)).toBe('private_url');
    expect(codeOf('https://127.0.0.1:4401/a.png', trusted)).toBe('private_url');
    expect(codeOf('http://u:p@127.0.0.1:4401/a.png', trusted)).toBe('credentials_in_url');
  });

  test('returns the normalized URL that was checked', () => {
    expect(checkPublicUrl('HTTPS://EXAMPLE.com/a/../ä', { trustedOrigins: [] })).toEqual({
      ok: true,
      url: 'https://example.com/%C3%A4',
    });
  });

  test('can be limited to https', () => {
    const options = { trustedOrigins: ['http://127.0.0.1:9'], schemes: ['https:'] as const };
    expect(checkPublicUrl('http://example.com/', options)).toMatchObject({ code: 'unsupported_url_scheme' });
    expect(checkPublicUrl('http://127.0.0.1:9/hook', options).ok).toBe(true);
  });

  test('never repeats the URL in a message', () => {
    for (const url of ['https://user:secret@example.com/', 'http://10.0.0.1/secret', 'secret']) {
      expect(JSON.stringify(checkPublicUrl(url, { trustedOrigins: [] }))).not.toContain('secret');
    }
  });

  test('isPublicAddress refuses text that is not an IP address', () => {
    for (const text of ['', 'example.com', '1.2.3', '::1%eth0', '8.8.8.8 ']) expect(isPublicAddress(text)).toBe(false);
  });
});

test('accepts non-ASCII letters in every call, unlike the optimized URL.canParse of Node 20', () => {
  // JSON.parse returns a flat one-byte string.
  const [text] = JSON.parse('["https://bücher.example/ä.png"]') as [string];
  const results = new Set<boolean>();
  for (let time = 0; time < 30_000; time += 1) results.add(checkPublicUrl(text, { trustedOrigins: [] }).ok);
  expect(results).toEqual(new Set([true]));
});

test('parseS3Url splits bucket and key', () => {
  expect(parseS3Url('s3://my-bucket/drop/a b/ä.png')).toEqual({ bucket: 'my-bucket', key: 'drop/a b/ä.png' });
  for (const url of [
    's3://bucket',
    's3://bucket/',
    's3:///key',
    's3://B/k',
    'https://b/k',
    `s3://bucket/${'a'.repeat(1025)}`,
  ]) {
    expect(parseS3Url(url)).toBeUndefined();
  }
});
