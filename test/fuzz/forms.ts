import fc from 'fast-check';
import type { Endpoint } from '../support/endpoint.ts';
import { png } from '../support/png.ts';

/** A form that uploads a file by Wan's protocol, as far as it is known before there is a policy for it. */
export interface FuzzForm {
  /** `used`: of a form that was sent before. */
  token: 'fresh' | 'used' | 'wrong';
  /** `{dir}` is the directory of the policy. */
  key: string | undefined;
  file: Buffer | string | undefined;
  fields: Readonly<Record<string, string>>;
  contentType: string | undefined;
  /** Leaves out the end. */
  isCut: boolean;
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
  'a text that is no file',
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
  isCut: fc.constantFrom(false, false, false, true),
});

interface Policy {
  upload_dir: string;
  upload_host: string;
}

/** Makes forms ready to be sent, each with a policy of its own unless it wants one that was used. */
export function createFormWriter(api: Endpoint) {
  let used: Policy | undefined;
  return async ({ token, key, file, fields, contentType, isCut }: FuzzForm) => {
    const policy = token === 'used' && used ? used : await policyOf(api);
    used = policy;
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    if (key !== undefined) form.append('key', key.replace('{dir}', policy.upload_dir));
    if (typeof file === 'string') form.append('file', file);
    else if (file) form.append('file', new Blob([new Uint8Array(file)]), 'cat.png');
    const whole = new Response(form);
    const bytes = Buffer.from(await whole.arrayBuffer());
    return {
      query: token === 'wrong' ? 'upload_token=ffu_wrong' : new URL(policy.upload_host).search.slice(1),
      contentType: contentType ?? whole.headers.get('content-type')!,
      body: isCut ? bytes.subarray(0, Math.floor(bytes.length / 2)) : bytes,
    };
  };
}

async function policyOf(api: Endpoint): Promise<Policy> {
  const { status, body } = await api.call('/api/v1/uploads?action=getPolicy&model=wan2.2-i2v-flash');
  if (status !== 200) throw new Error(`A policy was asked for, and the answer was ${status}.`);
  return body.data as Policy;
}
