import { expect, test } from 'vitest';
import { ApiProblem } from '../../web/api-problem.ts';
import { fieldMessages } from '../../web/field-errors.ts';

const issue = (pointer: string) => ({ pointer, code: 'wrong', message: `wrong at ${pointer}` });

test('shows each issue at its field, and the others at the form', () => {
  const pointers = [
    ['/input/img_url', 'image'],
    ['/bytes', 'image'],
    ['/input/prompt', 'prompt'],
    ['/model', 'model'],
    ['/parameters/resolution', 'resolution'],
    ['/parameters/duration', 'duration'],
  ] as const;
  const errors = [...pointers.map(([pointer]) => issue(pointer)), issue('/metadata/cat'), issue('')];
  expect(fieldMessages(new ApiProblem(400, { title: 'No.', detail: 'All of it.', errors }))).toEqual([
    ['form', 'No.'],
    ...pointers.map(([pointer, field]) => [field, `wrong at ${pointer}`]),
    ['form', '/metadata/cat: wrong at /metadata/cat'],
    ['form', 'wrong at '],
  ]);
});

test('shows title and detail of a problem without issues', () => {
  expect(fieldMessages(new ApiProblem(403, { title: 'Too much.', detail: 'Wait.' }))).toEqual([
    ['form', 'Too much. Wait.'],
  ]);
});
