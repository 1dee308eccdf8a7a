import { account, personalAccessKey } from '../account.ts';
import { type CallerServices, verifyCaller } from '../endpoint/caller.ts';
import { ServiceError } from '../service-error.ts';
import { readHeaders } from '../signature/canonical.ts';
import { type Fault, faults } from './gateway-responses.ts';
import { type ApiRequest, header } from './request.ts';

/** What `requestContext.identity` says of who signed. */
export interface SignedIdentity {
  accessKey: string;
  accountId: string;
  caller: string;
  user: string;
  userArn: string;
}

/**
 * Who signed a request, for methods whose authorization is `AWS_IAM`. A person's key is let in; the functions' roles hold no
 * permission to call an API. Signatures in the query are not known here.
 */
export function signedCaller(
  request: ApiRequest,
  services: CallerServices,
): { identity: SignedIdentity } | { fault: Fault } {
  if (header(request, 'authorization') === undefined) return { fault: faults.missingToken };
  const { http_method: method, path, query_string, headers, body } = request;
  const url = query_string === '' ? path : `${path}?${query_string}`;
  try {
    const key = verifyCaller({ method, url, headers: readHeaders(headers.flat()) }, body, services, 'execute-api');
    return key.principal === 'local' ? { identity: personal } : { fault: faults.accessDenied };
  } catch (error) {
    if (error instanceof ServiceError) return { fault: faults.invalidSignature };
    throw error;
  }
}

const personal: SignedIdentity = {
  accessKey: personalAccessKey.access_key_id,
  accountId: account,
  caller: 'AIDALOCAL',
  user: 'AIDALOCAL',
  userArn: `arn:aws:iam::${account}:user/local`,
};
