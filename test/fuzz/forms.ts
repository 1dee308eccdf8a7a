import fc from 'fast-check';
import type { Endpoint } from '../support/endpoint.ts';
import { png } from '../support/png.ts';

/** A form that uploads a file by Wan's protocol, before it has a policy. */
export interface FuzzForm {
  /** `used`: the token of a form that was sent before. */
  token: 'fresh' | 'used' | 'wrong';
  /** `{dir}` is the directory of the policy. */
  key: string | undefined;
  file: Buffer | string | undefined;
  fields: Readonly<Record<string, string>>;
  contentType: string | undefined;
  /** Sends only the first half. */
  isTruncated: boolean;
}

const files: readonly (Buffer | string | undefined)[] = [
  png(360, 360),
  png(10, 10),
  Buffer.from('RIFF\0\0\0\0WAVEfmt '),
  Buffer.from('ID3'),
  Buffer.from([0xff, 0xfb, 0x90, 0]),
  Buffer.alloc(0),
  Buffer.alloc(4 * 1024 * 1024 + 1, 'x'),
  Buffer.from('<html>'),
  'a text field',
  undefined,
];

const keys = [
  ...['{dir}/cat.png', '{dir}/ä 💃.png', '{dir}/../cat.png', '{dir}/a/b.png', '{dir}/', '{dir}', '/{dir}/cat.png'],
  ...['{dir}/..', '{dir}/\u202egnp.png', `{dir}/${'x'.repeat(300)}`, 'drop/cat.png', '', undefined],
];

export const forms: fc.Arbitrary<FuzzForm> = fc.record({
  token: fc.constantFrom('fresh', 'fresh', 'fresh', 'used', 'wrong'),
  key: fc.constantFrom(...keys, '{dir}/cat.png', '{dir}/dog.png'),
  file: fc.constantFrom(...files, png(360, 360)),
  fields: fc.constantFrom<Record<string, string>>(
    {},
    { policy: 'x', signature: 'y' },
    { success_action_status: '500' },
  ),
  contentType: fc.constantFrom(
    undefined,
    undefined,
    undefined,
    'multipart/form-data',
    'application/json',
    'multipart/form-data; boundary="',
  ),
  isTruncated: fc.constantFrom(false, false, false, true),
});

interface Policy {
  upload_dir: string;
  upload_host: string;
}

/** Creates a function that encodes forms, each with its own policy unless it uses an earlier token. */
export function createFormWriter(api: Endpoint) {
  let used: Policy | undefined;
  return async ({ token, key, file, fields, contentType, isTruncated }: FuzzForm) => {
    const policy = token === 'used' && used ? used : await policyOf(api);
    used = policy;
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    if (key !== undefined) form.append('key', key.replace('{dir}', policy.upload_dir));
    if (typeof file === 'string') form.append('file', file);
    else if (file) form.append('file', new Blob([new Uint8Array(file)]), 'cat.png');
    const encoded = new Response(form);
    const bytes = Buffer.from(await encoded.arrayBuffer());
    return {
      query: token === 'wrong' ? 'upload_token=ffu_wrong' : new URL(policy.upload_host).search.slice(1),
      contentType: contentType ?? encoded.headers.get('content-type')!,
      body: isTruncated ? bytes.subarray(0, Math.floor(bytes.length / 2)) : bytes,
    };
  };
}

async function policyOf(api: Endpoint): Promise<Policy> {
  const { status, body } = await api.call('/api/v1/uploads?action=getPolicy&model=wan2.2-i2v-flash');
  if (status !== 200) throw new Error(`The request of an upload policy returned ${status}.`);
  return body.data as Policy;
}
