import * as z from 'zod';
import { jsonResponse, type Operation, type ResponseSpec, ref, type Schemas } from './operation.ts';
import { ifNoneMatch } from './parameters.ts';

const healthSchema = z.strictObject({ status: z.enum(['ok', 'unavailable']) });

export const schemas: Schemas = { responses: { Health: healthSchema } };

const documentSchema = {
  type: 'object',
  properties: { openapi: { type: 'string' }, paths: { type: 'object' } },
  required: ['openapi', 'paths'],
};

const page = (description: string): ResponseSpec => ({
  description,
  content: { 'text/html': { schema: { type: 'string' } } },
});

const open = { method: 'get', tag: 'Service', access: 'public' } as const;

export const operations: readonly Operation[] = [
  {
    ...open,
    path: '/health',
    id: 'getHealth',
    summary: 'Check whether the service is up',
    description: 'Needs no key and reveals nothing about videos or owners.',
    responses: {
      200: jsonResponse('The service is up.', ref('Health'), { ok: { summary: 'Up', value: { status: 'ok' } } }),
      503: jsonResponse(
        'The service is unavailable.',
        ref('Health'),
        { unavailable: { summary: 'Down', value: { status: 'unavailable' } } },
        { headers: ['Retry-After'] },
      ),
    },
  },
  {
    ...open,
    path: '/openapi.json',
    id: 'getContract',
    summary: 'This document',
    description: 'OpenAPI 3.1, for generating clients and validating responses.',
    parameters: [ifNoneMatch],
    responses: {
      200: {
        description: 'The document.',
        headers: ['ETag'],
        content: { 'application/json': { schema: documentSchema } },
      },
      304: { description: 'The document has not changed.', headers: ['ETag'] },
    },
  },
  {
    ...open,
    path: '/docs',
    id: 'getDocs',
    summary: 'This document as a page',
    description: 'Calls can be tried there with a key.',
    parameters: [ifNoneMatch],
    responses: {
      200: { ...page('The page.'), headers: ['ETag'] },
      304: { description: 'The page has not changed.', headers: ['ETag'] },
    },
  },
  {
    ...open,
    path: '/',
    id: 'getConsole',
    summary: 'The console',
    description: 'A web page for creating and viewing videos. Deployments with `auth: iam` have none.',
    parameters: [ifNoneMatch],
    responses: {
      200: { ...page('The page.'), headers: ['ETag'] },
      304: { description: 'The page has not changed.', headers: ['ETag'] },
    },
  },
];
