import type { ConsoleSettings } from '../functions/api/pages/console.ts';
import type { OfferedModel } from '../functions/api/videos/models.ts';
import type { Api, SubmitBody, VideoView } from './api.ts';
import { ApiProblem } from './api-problem.ts';
import { find } from './dom.ts';
import type { FieldErrors } from './field-errors.ts';
import { createIdempotencyKeys } from './idempotency-keys.ts';
import { createImageField } from './image-field.ts';
import { commonLimits } from './image-plan.ts';
import { createImageSender } from './image-upload.ts';
import { createLastFrameField } from './last-frame-field.ts';
import { createOptions } from './options.ts';
import type { PreparedImage } from './prepare-image.ts';

export interface ComposerServices {
  api: Api;
  settings: ConsoleSettings;
  errors: FieldErrors;
  /** Whether there is a key; if not, shows an error at its field. */
  requireKey: () => boolean;
  /** Called when the API rejects the key. */
  keyRejected: (problem: ApiProblem) => void;
  /** Called with each new video and its image. */
  submitted: (video: VideoView, image: PreparedImage) => void;
  /** Called with the price of the chosen video; undefined where it is unknown. */
  priceChanged: (amount: number | undefined) => void;
}

export interface Composer {
  /** Fills the form with the settings and the first frame of another video. */
  reuse(video: VideoView, firstFrame: Promise<Blob | undefined>): void;
  /** Replaces the offered models. */
  setModels(models: readonly OfferedModel[]): void;
}

/** How long the button stays disabled after a submission, so that a double click does not pay for two videos. */
const cooldownMilliseconds = 2500;

/** The form for a new video. */
export function createComposer(page: Document, services: ComposerServices): Composer {
  const { api, settings, errors, requireKey, keyRejected, submitted, priceChanged } = services;
  const form = find(page, '#composer', HTMLFormElement);
  const prompt = find(page, '#prompt', HTMLTextAreaElement);
  const button = find(page, '#submit', HTMLButtonElement);
  const imageField = createImageField(page, commonLimits(settings.models), errors, edited);
  const lastFrame = createLastFrameField(page, commonLimits(settings.models), errors, edited);
  const images = createImageSender(page, api, settings.inline_image_bytes);
  const options = createOptions(page, settings.models, () => {
    errors.clear('model', 'resolution', 'duration', 'last-frame');
    edited();
    showLimits();
  });
  const keys = createIdempotencyKeys();

  function edited(): void {
    errors.clear('form');
    if (!button.disabled) button.textContent = 'Create video';
  }

  function showLimits(): void {
    lastFrame.showFor(options.chosen().model);
    const characters = [...prompt.value].length;
    const limit = options.chosen().model.prompt_limit;
    const count = find(page, '#prompt-count', HTMLElement);
    count.textContent =
      characters > limit ? `Wan reads the first ${limit} of ${characters}` : `${characters} of ${limit}`;
    count.classList.toggle('over-limit', characters > limit);
    priceChanged(options.cost());
  }
  showLimits();

  prompt.addEventListener('input', () => {
    errors.clear('prompt');
    edited();
    showLimits();
  });
  prompt.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (!button.disabled) void submit();
  });

  /** Returns the image, or shows what is missing before anything is sent. */
  function validate(): PreparedImage | undefined {
    errors.clear('key', 'image', 'last-frame', 'prompt', 'model', 'resolution', 'duration', 'form');
    const image = imageField.image();
    const hasPrompt = prompt.value.trim() !== '';
    const hasKey = requireKey();
    if (!image) imageField.showMissing();
    if (!hasPrompt) errors.show('prompt', 'Describe what happens in the video.');
    return hasKey && hasPrompt ? image : undefined;
  }

  async function submit(): Promise<void> {
    const image = validate();
    if (!image) return errors.focusFirst();
    button.disabled = true;
    button.textContent = 'Sending…';
    const last = await lastFrame.image();
    try {
      const { model, resolution, duration } = options.chosen();
      const text = prompt.value.trim();
      const body: SubmitBody = {
        model: model.name,
        input: {
          prompt: text,
          img_url: await images.urlOf(image),
          ...(last ? { last_frame_url: await images.urlOf(last) } : {}),
        },
        parameters: { resolution, duration },
      };
      const video = await api.submit(body, keys.keyFor(body));
      keys.settled();
      submitted(video, image);
      button.textContent = 'Submitted';
      setTimeout(() => enable('Create another'), cooldownMilliseconds);
    } catch (error) {
      enable('Create video');
      if (!(error instanceof ApiProblem)) throw error;
      images.refused(image, error);
      if (last) images.refused(last, error);
      if (error.rejectsKey) keyRejected(error);
      else errors.showProblem(error);
      errors.focusFirst();
    }
  }

  function enable(label: string): void {
    button.disabled = false;
    button.textContent = label;
  }

  return {
    reuse(video, firstFrame) {
      prompt.value = video.input.prompt ?? '';
      imageField.load(firstFrame);
      options.choose(video);
      errors.clear('prompt', 'form');
      showLimits();
      form.scrollIntoView({ block: 'start' });
      prompt.focus({ preventScroll: true });
    },
    setModels: options.setModels,
  };
}
