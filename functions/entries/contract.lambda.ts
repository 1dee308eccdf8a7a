import type { APIGatewayProxyResult } from 'aws-lambda';
import style from '../../web/docs.css?bundled';
import html from '../../web/docs.html';
import script from '../../web/docs.ts?bundled';
import type { ApiRequest } from '../api/http/request.ts';
import contract from '../api/openapi/document.ts?json';
import { docsPage, getContract } from '../api/pages/docs.ts';

const docs = docsPage({ html, style, script, contract });

export const handler = async (request: ApiRequest): Promise<APIGatewayProxyResult> => {
  switch (request.resource) {
    case '/openapi.json':
      return getContract(request, contract);
    case '/docs':
      return docs;
    default:
      throw new Error(`The route ${request.resource} leads here but is not known here.`);
  }
};
