import { expect, test } from 'vitest';
import { ApiProblem } from '../../web/api-problem.ts';
import { messagesOf } from '../../web/problem-fields.ts';

const violation = (pointer: string) => ({ pointer, code: 'wrong', message: `wrong at ${pointer}` });

test('each violation is told at its field, what has no field at the form, and nothing is left out', () => {
  const pointers = [
    ['/input/img_url', 'picture'],
    ['/bytes', 'picture'],
    ['/input/prompt', 'prompt'],
    ['/model', 'model'],
    ['/parameters/resolution', 'resolution'],
    ['/parameters/duration', 'duration'],
  ] as const;
  const errors = [...pointers.map(([pointer]) => violation(pointer)), violation('/metadata/cat'), violation('')];
  expect(messagesOf(new ApiProblem(400, { title: 'No.', detail: 'All of it.', errors }))).toEqual([
    ['form', 'No.'],
    ...pointers.map(([pointer, field]) => [field, `wrong at ${pointer}`]),
    ['form', '/metadata/cat: wrong at /metadata/cat'],
    ['form', 'wrong at '],
  ]);
});

test('a problem without violations is told whole', () => {
  expect(messagesOf(new ApiProblem(403, { title: 'Too much.', detail: 'Wait.' }))).toEqual([
    ['form', 'Too much. Wait.'],
  ]);
});
