import type { APIGatewayProxyResult } from 'aws-lambda';
import { withEtag } from '../http/conditional-requests.ts';
import type { RequestHeaders } from '../http/request.ts';
import { dataBlock, fillPage, hashSource, pageResponse } from './page.ts';

/** What the page is put together from, as text. */
interface DocsParts {
  /** Has a comment for each of the others: `<!-- style -->`, `<!-- contract -->`, `<!-- script -->`. */
  html: string;
  style: string;
  script: string;
  /** The OpenAPI document. */
  contract: string;
}

/**
 * `GET /docs`: the contract as a page, on which calls can be tried with a key. It loads nothing from elsewhere, and asks nobody
 * but this API. The component that shows the contract styles itself from within, so styles are free; scripts are not, and the
 * markup that it writes comes from the contract alone.
 */
export function docsPage({ html, style, script, contract }: DocsParts): APIGatewayProxyResult {
  const page = fillPage(html, {
    style: `<style>${style}</style>`,
    contract: dataBlock('contract', contract),
    script: `<script type="module">${script}</script>`,
  });
  return pageResponse(page, {
    'script-src': [hashSource(script)],
    'style-src': ["'unsafe-inline'"],
    'connect-src': ["'self'"],
    'img-src': ['data:'],
    'trusted-types': ['lit-html'],
  });
}

/** `GET /openapi.json`: the contract. It says the same to everybody, so anybody's page may read it and any cache may keep it. */
export function getContract(request: RequestHeaders, contract: string): APIGatewayProxyResult {
  const answer = withEtag(request, {
    statusCode: 200,
    headers: { 'content-type': 'application/json' },
    body: contract,
  });
  const { vary, ...headers } = { ...answer.headers };
  return { ...answer, headers: { ...headers, 'cache-control': 'no-cache', 'access-control-allow-origin': '*' } };
}
