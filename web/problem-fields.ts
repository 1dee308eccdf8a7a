import { type ApiProblem, problemInWords } from './api-problem.ts';

export type Field = 'key' | 'picture' | 'prompt' | 'model' | 'resolution' | 'duration' | 'form';

/** Of the bodies of `POST /videos` and `POST /uploads`. */
const fieldOfPointer: Readonly<Record<string, Field>> = {
  '/model': 'model',
  '/input/prompt': 'prompt',
  '/input/img_url': 'picture',
  '/parameters/resolution': 'resolution',
  '/parameters/duration': 'duration',
  '/content_type': 'picture',
  '/bytes': 'picture',
};

/**
 * What is said where about a problem that is not the key's. The detail of one with violations repeats them in one breath, so the
 * form has its title alone, and what is wrong with fields that it does not show.
 */
export function messagesOf(problem: ApiProblem): [Field, string][] {
  const { message, errors } = problem;
  if (errors.length === 0) return [['form', problemInWords(problem)]];
  return [
    ['form', message],
    ...errors.map(({ pointer, message: words }): [Field, string] => {
      const field = fieldOfPointer[pointer];
      if (field) return [field, words];
      return ['form', pointer ? `${pointer}: ${words}` : words];
    }),
  ];
}
