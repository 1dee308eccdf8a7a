import * as z from 'zod';
import { jsonResponse, type Operation, type ResponseSpec, ref, type Schemas } from './operation.ts';
import { ifNoneMatch } from './parameters.ts';

const healthSchema = z.strictObject({ status: z.enum(['ok', 'unavailable']) });

export const schemas: Schemas = { given: { Health: healthSchema } };

const page = (description: string): ResponseSpec => ({
  description,
  content: { 'text/html': { schema: { type: 'string' } } },
});

const open = { method: 'get', tag: 'Service', admits: 'everybody' } as const;

export const operations: readonly Operation[] = [
  {
    ...open,
    path: '/health',
    id: 'getHealth',
    summary: 'Whether the service is up',
    description: 'Says nothing about anybody.',
    answers: {
      200: jsonResponse('It is.', ref('Health'), { ok: { summary: 'Up', value: { status: 'ok' } } }),
      503: jsonResponse(
        'It is not, for now.',
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
    description: 'OpenAPI 3.1, for generating clients and checking answers.',
    parameters: [ifNoneMatch],
    answers: {
      200: {
        description: 'The document.',
        headers: ['ETag'],
        content: { 'application/json': { schema: { type: 'object', required: ['openapi', 'paths'] } } },
      },
      304: { description: 'It is what you know.', headers: ['ETag'] },
    },
  },
  {
    ...open,
    path: '/docs',
    id: 'getDocs',
    summary: 'This document as a page',
    description: 'Calls can be tried there with a key.',
    answers: { 200: page('The page.') },
  },
  {
    ...open,
    path: '/',
    id: 'getConsole',
    summary: 'The console',
    description: 'A page to make videos with, for people. A deployment whose callers sign their requests has none.',
    answers: { 200: page('The page.') },
  },
];
