import * as z from 'zod';
import { type Answer, jsonAnswer, type Operation, ref, type Schemas } from './operation.ts';
import { ifNoneMatch } from './parameters.ts';

const healthSchema = z.strictObject({ status: z.enum(['ok', 'unavailable']) });

export const schemas: Schemas = { given: { Health: healthSchema } };

const page = (description: string): Answer => ({
  description,
  content: { 'text/html': { schema: { type: 'string' } } },
});

export const operations: readonly Operation[] = [
  {
    method: 'get',
    path: '/health',
    id: 'getHealth',
    tag: 'Service',
    summary: 'Whether the service is up',
    description: 'Says nothing about anybody.',
    admits: 'everybody',
    answers: {
      200: jsonAnswer('It is.', ref('Health'), { ok: { summary: 'Up', value: { status: 'ok' } } }),
      503: jsonAnswer(
        'It is not, for now.',
        ref('Health'),
        { unavailable: { summary: 'Down', value: { status: 'unavailable' } } },
        ['Retry-After'],
      ),
    },
  },
  {
    method: 'get',
    path: '/openapi.json',
    id: 'getContract',
    tag: 'Service',
    summary: 'This document',
    description: 'OpenAPI 3.1, for generating clients and checking answers.',
    admits: 'everybody',
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
    method: 'get',
    path: '/docs',
    id: 'getDocs',
    tag: 'Service',
    summary: 'This document as a page',
    description: 'Calls can be tried there with a key.',
    admits: 'everybody',
    answers: { 200: page('The page.') },
  },
  {
    method: 'get',
    path: '/',
    id: 'getConsole',
    tag: 'Service',
    summary: 'The console',
    description: 'A page to make videos with, for people. A deployment whose callers sign their requests has none.',
    admits: 'everybody',
    answers: { 200: page('The page.') },
  },
];
