import { notImplemented, S3Error } from '../errors.ts';
import { type Headers, headerText } from '../http/headers.ts';
import { attributeHeaders } from '../objects/attributes.ts';

const contentHeaders = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-md5',
  'content-type',
  'expires',
];

/** Fields that speak to the form's receiver and not of the object. */
const formFields = new Set([
  'bucket',
  'key',
  'policy',
  'success_action_redirect',
  'redirect',
  'success_action_status',
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-sdk-checksum-algorithm',
  'x-amz-signature',
]);

/** Reads a form's fields as the headers that a PUT of the same object would carry. */
export function formHeaders(fields: ReadonlyMap<string, string>): Headers {
  const headers = new Map<string, string>();
  for (const [name, value] of fields) {
    if (formFields.has(name) || name.startsWith('x-ignore-')) continue;
    if (name === 'acl') headers.set('x-amz-acl', value);
    else if (name.startsWith('x-amz-meta-')) headers.set(checkName(name), value);
    else if (contentHeaders.includes(name)) headers.set(name, headerText(value));
    else if (attributeHeaders.includes(name) || name.startsWith('x-amz-checksum-')) headers.set(name, value);
    else if (name.startsWith('x-amz-') || name === 'tagging')
      throw notImplemented(`POST Object with the field ${name}`);
  }
  return headers;
}

/** Metadata goes back as a header, so its name must be one. */
function checkName(name: string): string {
  if (/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return name;
  throw new S3Error('InvalidArgument', 'A metadata field has a name that no header can have.', {
    elements: { ArgumentName: name },
  });
}
