import * as z from 'zod';
import { documentedMessage, type ReferenceCode, Refusal } from '../dashscope/errors.ts';
import { request_id } from './examples.ts';
import { type Answer, type Answers, jsonAnswer, ref, type Schemas } from './operation.ts';
import { type Code, codeNames, explainCodes, problemCodes } from './problem-codes.ts';

const pointer = z.string().meta({
  description: 'A JSON pointer (RFC 6901) to what is wrong; empty for the whole.',
  examples: ['/input/img_url'],
});

export const violationSchema = z
  .strictObject({
    pointer,
    code: z.string().meta({ description: 'Stable; for programs.', examples: ['unsupported_resolution'] }),
    message: z.string().meta({ description: 'What is wrong and how to mend it.' }),
  })
  .meta({ description: 'One thing that must be mended before the request can be taken.' });

const about = z.literal('about:blank');
const requestId = z.string().meta({ description: 'Say it when you report a problem.' });

export const problemSchema = z
  .strictObject({
    type: about,
    status: z.int().min(400).max(599),
    code: z.enum(codeNames).meta({ description: 'Stable: what a program decides by.' }),
    title: z.string().meta({ description: 'What is wrong, in short.' }),
    detail: z.string().meta({ description: 'What is wrong and how to mend it.' }),
    errors: z.array(violationSchema).max(50).optional(),
    request_id: requestId.optional(),
  })
  .meta({ description: `A problem (RFC 9457).\n\n${explainCodes(codeNames)}` });

export const schemas: Schemas = { given: { Problem: problemSchema, Violation: violationSchema } };

/** The answers of a route that has these problems: each status lists its own codes, so that a program can rely on them. */
export function problemAnswers(...codes: readonly Code[]): Answers {
  const statuses = [...new Set(codes.map((code) => problemCodes[code].status))];
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      answerOf(
        status,
        codes.filter((code) => problemCodes[code].status === status),
      ),
    ]),
  );
}

function answerOf(status: number, codes: readonly Code[]): Answer {
  const properties = { status: { const: status }, code: { enum: codes } };
  const saying = codes.filter((code) => problemCodes[code].retry_after);
  return {
    description: explainCodes(codes),
    headers: saying.length === codes.length ? ['Retry-After'] : [],
    sometimes: saying.length > 0 && saying.length < codes.length ? ['Retry-After'] : [],
    content: {
      'application/problem+json': {
        schema: { allOf: [ref('Problem'), { type: 'object', properties }] },
        examples: Object.fromEntries(codes.map((code) => [code, { summary: code, value: exampleOf(status, code) }])),
      },
    },
  };
}

const withErrors: Partial<Record<Code, z.input<typeof violationSchema>>> = {
  invalid_request: {
    pointer: '/parameters/resolution',
    code: 'unsupported_resolution',
    message: 'wan2.2-i2v-flash makes no 1080P videos. Use 480P or 720P.',
  },
  invalid_query: {
    pointer: '/limit',
    code: 'invalid_value',
    message: 'Give a whole number from 1 to 100.',
  },
  image_too_large: {
    pointer: '/input/img_url',
    code: 'image_too_large',
    message: 'The picture has 5242880 bytes; at most 4194304 are taken.',
  },
};

function exampleOf(status: number, code: Code): z.input<typeof problemSchema> {
  const error = withErrors[code];
  const plain = (text: string) => text.replaceAll('`', '');
  return {
    type: 'about:blank',
    status,
    code,
    title: plain(problemCodes[code].means),
    detail: error ? `${error.pointer}: ${error.message}` : plain(problemCodes[code].mend),
    ...(error ? { errors: [error] } : {}),
    request_id,
  };
}

/** The errors of a route of Wan's protocol, by their HTTP statuses. */
export function refusals(...codes: readonly ReferenceCode[]): Answers {
  const all = codes.map((code) => new Refusal(code));
  const statuses = [...new Set(all.map(({ status }) => status))];
  return Object.fromEntries(
    statuses.map((status) => {
      const own = all.filter((refusal) => refusal.status === status);
      const examples = own.map(({ code, message }) => [code, { summary: code, value: { code, message, request_id } }]);
      const schema = {
        allOf: [ref('DashscopeError'), { type: 'object', properties: { code: { enum: own.map(({ code }) => code) } } }],
      };
      const description = own.map(({ code }) => `- \`${code}\`: ${documentedMessage(code)}`).join('\n');
      return [
        status,
        jsonAnswer(description, schema, Object.fromEntries(examples), status === 503 ? ['Retry-After'] : []),
      ];
    }),
  );
}
