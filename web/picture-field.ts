import { find, say } from './dom.ts';
import type { FieldErrors } from './field-errors.ts';
import { fitPicture, type Picture } from './fit-picture.ts';
import { type PictureLimits, sizeInWords } from './picture-plan.ts';

export interface PictureField {
  /** The picture, made to fit; undefined while there is none. */
  picture(): Picture | undefined;
  /** Takes a picture that was fitted before. */
  take(picture: Picture): void;
}

/** The picture's field: a file is chosen, dropped anywhere on the page, or pasted. */
export function createPictureField(
  page: Document,
  limits: PictureLimits,
  errors: FieldErrors,
  changed: () => void,
): PictureField {
  const input = find(page, '#picture', HTMLInputElement);
  const preview = find(page, '#picture-preview', HTMLImageElement);
  const note = find(page, '#picture-note', HTMLElement);
  const drop = find(page, '#drop', HTMLElement);
  const remove = find(page, '#picture-remove', HTMLButtonElement);
  let current: Picture | undefined;
  /** Of two files given one after the other, the later one counts, whichever is ready first. */
  let latest: Blob | undefined;

  find(page, '#picture-hint', HTMLElement).textContent =
    `At least ${limits.min_side} pixels a side. Larger than ${limits.max_side}, or than ${Math.floor(limits.max_bytes / 2 ** 20)} MB? It is scaled to fit.`;

  function show(picture: Picture | undefined, words?: string): void {
    current = picture;
    if (preview.src) URL.revokeObjectURL(preview.src);
    if (picture) preview.src = URL.createObjectURL(picture.blob);
    else preview.removeAttribute('src');
    preview.hidden = !picture;
    remove.hidden = !picture;
    find(page, '#picture-empty', HTMLElement).hidden = picture !== undefined;
    drop.classList.toggle('filled', picture !== undefined);
    const facts = picture && `${picture.width} × ${picture.height} pixels, ${sizeInWords(picture.blob.size)}.`;
    say(note, [facts, words].filter(Boolean).join(' '));
    changed();
  }

  async function read(file: Blob): Promise<void> {
    latest = file;
    errors.clear('picture');
    drop.classList.add('reading');
    const fitted = await fitPicture(file, limits);
    if (latest !== file) return;
    drop.classList.remove('reading');
    if (fitted.ok) return show(fitted.picture, fitted.note);
    show(undefined);
    errors.show('picture', fitted.message);
  }

  input.addEventListener('change', () => {
    const [file] = input.files ?? [];
    // So that the same file can be chosen again.
    input.value = '';
    if (file) void read(file);
  });
  remove.addEventListener('click', () => {
    latest = undefined;
    errors.clear('picture');
    show(undefined);
    input.focus();
  });

  const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
  page.addEventListener('dragover', (event) => {
    if (!carriesFiles(event)) return;
    // Else a file let go beside the field would replace the page.
    event.preventDefault();
    drop.classList.add('over');
  });
  page.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) drop.classList.remove('over');
  });
  page.addEventListener('drop', (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    drop.classList.remove('over');
    const [file] = event.dataTransfer?.files ?? [];
    if (file) void read(file);
  });
  page.addEventListener('paste', (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith('image/'));
    if (!file) return;
    event.preventDefault();
    void read(file);
  });

  return {
    picture: () => current,
    take(picture) {
      latest = undefined;
      errors.clear('picture');
      show(picture);
    },
  };
}
