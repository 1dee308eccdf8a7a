import type { APIGatewayProxyResult } from 'aws-lambda';
import { publicCaching } from '../http/conditional-requests.ts';
import { dataBlock, fillPage, hashSource, pageResponse } from './page.ts';

/** Texts that the page is assembled from. */
interface DocsParts {
  /** Has a placeholder for each of the others: `<!-- style -->`, `<!-- contract -->`, `<!-- script -->`. */
  html: string;
  style: string;
  script: string;
  /** The OpenAPI document. */
  contract: string;
}

/**
 * `GET /docs`: the contract as a page where calls can be tried with a key. It loads nothing from other origins and calls only this
 * API. The component that renders the contract has inline styles, so the policy allows those; scripts stay restricted to the page's
 * own, and the markup that the component writes comes only from the contract.
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

/** `GET /openapi.json`: the contract. It is the same for every caller, so any page may read it and any cache may store it. */
export const contractResponse = (contract: string): APIGatewayProxyResult => ({
  statusCode: 200,
  headers: { 'content-type': 'application/json', ...publicCaching(contract), 'access-control-allow-origin': '*' },
  body: contract,
});
