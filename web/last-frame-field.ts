import type { OfferedModel } from '../functions/api/videos/models.ts';
import { find } from './dom.ts';
import type { FieldErrors } from './field-errors.ts';
import type { ImageLimits } from './image-plan.ts';
import { type PreparedImage, prepareImage } from './prepare-image.ts';

export interface LastFrameField {
  /** The chosen image; undefined without one, or where the model takes none. */
  image(): Promise<PreparedImage | undefined>;
  /** Shows the field only for a model that takes a last frame. */
  showFor(model: OfferedModel): void;
}

/** Whether a model takes a last frame with a first one. */
export const takesLastFrame = ({ media }: Pick<OfferedModel, 'media'>): boolean =>
  media.combinations.some(
    ({ required, optional }) => required.includes('first_frame') && optional.includes('last_frame'),
  );

/** The field of the optional last frame. */
export function createLastFrameField(
  page: Document,
  limits: ImageLimits,
  errors: FieldErrors,
  changed: () => void,
): LastFrameField {
  const field = find(page, '#last-frame-field', HTMLElement);
  const input = find(page, '#last-frame', HTMLInputElement);
  let prepared: Promise<PreparedImage | undefined> = Promise.resolve(undefined);

  async function read(file: File): Promise<PreparedImage | undefined> {
    const result = await prepareImage(file, limits);
    if (result.ok) return result.image;
    errors.show('last-frame', result.message);
    input.value = '';
    return undefined;
  }

  input.addEventListener('change', () => {
    const [file] = input.files ?? [];
    errors.clear('last-frame');
    prepared = file ? read(file) : Promise.resolve(undefined);
    changed();
  });

  return {
    image: async () => (field.hidden ? undefined : prepared),
    showFor(model) {
      field.hidden = !takesLastFrame(model);
    },
  };
}
