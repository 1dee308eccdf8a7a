import { account, developerAccessKey } from '../account.ts';
import { type CallerServices, verifyCaller } from '../endpoint/caller.ts';
import { ServiceError } from '../service-error.ts';
import { readHeaders } from '../signature/canonical.ts';
import { gatewayErrors } from './gateway-responses.ts';
import { type ApiRequest, header } from './request.ts';

/** The fields of `requestContext.identity` that identify the caller. */
export interface IamIdentity {
  accessKey: string;
  accountId: string;
  caller: string;
  user: string;
  userArn: string;
}

/**
 * Authorizes a request to a method with `AWS_IAM`. The developer's key is allowed. The functions' roles have no
 * permission to call an API. Signatures in the query are not supported.
 * @throws GatewayError
 */
export function authorizeIam(request: ApiRequest, services: CallerServices): IamIdentity {
  if (header(request, 'authorization') === undefined) throw gatewayErrors.missingToken;
  const { http_method: method, path, query_string, headers, body } = request;
  const url = query_string === '' ? path : `${path}?${query_string}`;
  try {
    const key = verifyCaller({ method, url, headers: readHeaders(headers.flat()) }, body, services, 'execute-api');
    if (key.principal === 'local') return developer;
  } catch (error) {
    throw error instanceof ServiceError ? gatewayErrors.invalidSignature : error;
  }
  throw gatewayErrors.accessDenied;
}

const developer: IamIdentity = {
  accessKey: developerAccessKey.access_key_id,
  accountId: account,
  caller: 'AIDALOCAL',
  user: 'AIDALOCAL',
  userArn: `arn:aws:iam::${account}:user/local`,
};
