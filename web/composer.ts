import type { ConsoleSettings } from '../functions/api/pages/console.ts';
import type { OfferedModel } from '../functions/api/videos/models.ts';
import type { Api, SubmitBody, VideoView } from './api.ts';
import { ApiProblem } from './api-problem.ts';
import { find } from './dom.ts';
import type { FieldErrors } from './field-errors.ts';
import type { Picture } from './fit-picture.ts';
import { createIdempotencyKeys } from './idempotency-keys.ts';
import { commonLimits } from './offers.ts';
import { createOptions } from './options.ts';
import { createPictureField } from './picture-field.ts';
import { createPictureSender } from './picture-sender.ts';

export interface ComposerServices {
  api: Api;
  settings: ConsoleSettings;
  errors: FieldErrors;
  /** Whether there is a key; if not, says so at its field. */
  requireKey: () => boolean;
  /** Told when the key is not taken. */
  refused: (problem: ApiProblem) => void;
  /** Told of each video that was made, and of its picture. */
  submitted: (video: VideoView, picture: Picture) => void;
  /** Told what the chosen video costs; undefined where no price is known. */
  priced: (amount: number | undefined) => void;
}

export interface Composer {
  /** Fills the form with another video's settings. */
  reuse(video: VideoView, picture?: Picture): void;
  /** Offers what the API says now. */
  renew(models: readonly OfferedModel[]): void;
}

/** How long the button rests after a video was made, so that a double click does not pay for two. */
const restMilliseconds = 2500;

/** The form. */
export function createComposer(page: Document, services: ComposerServices): Composer {
  const { api, settings, errors, requireKey, refused, submitted, priced } = services;
  const form = find(page, '#composer', HTMLFormElement);
  const prompt = find(page, '#prompt', HTMLTextAreaElement);
  const send = find(page, '#send', HTMLButtonElement);
  const field = createPictureField(page, commonLimits(settings.models), errors, edited);
  const pictures = createPictureSender(page, api, settings.inline_image_bytes);
  const options = createOptions(page, settings.models, () => {
    errors.clear('model', 'resolution', 'duration');
    edited();
    count();
  });
  const keys = createIdempotencyKeys();

  function edited(): void {
    errors.clear('form');
    if (!send.disabled) send.textContent = 'Make video';
  }

  function count(): void {
    const characters = [...prompt.value].length;
    const limit = options.chosen().model.prompt_limit;
    const place = find(page, '#prompt-count', HTMLElement);
    place.textContent =
      characters > limit ? `Wan reads the first ${limit} of ${characters}` : `${characters} of ${limit}`;
    place.classList.toggle('over', characters > limit);
    priced(options.cost());
  }
  count();

  prompt.addEventListener('input', () => {
    errors.clear('prompt');
    edited();
    count();
  });
  prompt.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (!send.disabled) void submit();
  });

  /** What is missing is told before anything is sent. */
  function complete(): Picture | undefined {
    errors.clear('key', 'picture', 'prompt', 'model', 'resolution', 'duration', 'form');
    const picture = field.picture();
    const keyed = requireKey();
    if (!picture) errors.show('picture', 'Choose the picture that the video begins with.');
    if (prompt.value.trim() === '') errors.show('prompt', 'Say what happens in the video.');
    return keyed && prompt.value.trim() !== '' ? picture : undefined;
  }

  async function submit(): Promise<void> {
    const picture = complete();
    if (!picture) return errors.focusFirst();
    send.disabled = true;
    send.textContent = 'Sending…';
    try {
      const { model, resolution, duration } = options.chosen();
      const text = prompt.value.trim();
      const body: SubmitBody = {
        model: model.name,
        input: { prompt: text, img_url: await pictures.urlOf(picture) },
        parameters: { resolution, duration },
      };
      const video = await api.submit(body, keys.next(body));
      keys.settled();
      submitted(video, picture);
      send.textContent = 'On its way';
      setTimeout(() => rest('Make another'), restMilliseconds);
    } catch (error) {
      rest('Make video');
      if (!(error instanceof ApiProblem)) throw error;
      pictures.refused(picture, error);
      if (error.refusesKey) refused(error);
      else errors.showProblem(error);
      errors.focusFirst();
    }
  }

  function rest(text: string): void {
    send.disabled = false;
    send.textContent = text;
  }

  return {
    reuse(video, picture) {
      prompt.value = video.input.prompt ?? '';
      options.choose(video);
      if (picture) field.take(picture);
      errors.clear('prompt', 'form');
      count();
      form.scrollIntoView({ block: 'start' });
      prompt.focus({ preventScroll: true });
    },
    renew: options.renew,
  };
}
