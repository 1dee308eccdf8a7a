import { find, setText } from './dom.ts';
import type { FieldErrors } from './field-errors.ts';
import { formatBytes } from './formatting.ts';
import type { ImageLimits } from './image-plan.ts';
import { type PreparedImage, prepareImage } from './prepare-image.ts';

export interface ImageField {
  /** The shown image; undefined while there is none or it is loading. */
  image(): PreparedImage | undefined;
  /** Shows an error: there is no image to send. */
  showMissing(): void;
  /** Empties the field, then shows the image that a video starts with; undefined for one that cannot be loaded. */
  load(firstFrame: Promise<Blob | undefined>): void;
}

/** The image's field: a file is chosen, dropped anywhere on the page, or pasted. */
export function createImageField(
  page: Document,
  limits: ImageLimits,
  errors: FieldErrors,
  changed: () => void,
): ImageField {
  const input = find(page, '#image', HTMLInputElement);
  const preview = find(page, '#image-preview', HTMLImageElement);
  const note = find(page, '#image-note', HTMLElement);
  const dropZone = find(page, '#drop-zone', HTMLElement);
  const removeButton = find(page, '#image-remove', HTMLButtonElement);
  let current: PreparedImage | undefined;
  /** Only the latest source counts, whichever is ready first. */
  let loading: Promise<Blob | undefined> | undefined;

  find(page, '#image-hint', HTMLElement).textContent =
    `At least ${limits.min_side} pixels per side. Images over ${limits.max_side} pixels or ${Math.floor(limits.max_bytes / 2 ** 20)} MB are scaled to fit.`;

  function show(image: PreparedImage | undefined, remark?: string): void {
    current = image;
    if (preview.src) URL.revokeObjectURL(preview.src);
    if (image) preview.src = URL.createObjectURL(image.blob);
    else preview.removeAttribute('src');
    preview.hidden = !image;
    removeButton.hidden = !image;
    find(page, '#image-empty', HTMLElement).hidden = image !== undefined;
    dropZone.classList.toggle('filled', image !== undefined);
    dropZone.classList.toggle('loading', loading !== undefined);
    const facts = image && `${image.width} × ${image.height} pixels, ${formatBytes(image.blob.size)}.`;
    setText(note, loading ? 'Loading the image…' : [facts, remark].filter(Boolean).join(' '));
    errors.clear('image');
    changed();
  }

  /** The old image goes first: the form must never send another image than it shows. */
  async function read(source: Promise<Blob | undefined>): Promise<void> {
    loading = source;
    show(undefined);
    const file = await source;
    const prepared = file && (await prepareImage(file, limits));
    if (loading !== source) return;
    loading = undefined;
    if (prepared?.ok) return show(prepared.image, prepared.note);
    show(undefined);
    errors.show(
      'image',
      prepared?.message ?? 'The first frame of this video cannot be loaded. Choose the image again.',
    );
  }
  const readFile = (file: Blob | undefined) => file && void read(Promise.resolve(file));

  input.addEventListener('change', () => {
    const [file] = input.files ?? [];
    // So that the same file can be chosen again.
    input.value = '';
    readFile(file);
  });
  removeButton.addEventListener('click', () => {
    loading = undefined;
    show(undefined);
    input.focus();
  });

  const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
  page.addEventListener('dragover', (event) => {
    if (!carriesFiles(event)) return;
    // Otherwise a file dropped outside the field would replace the page.
    event.preventDefault();
    dropZone.classList.add('drag-over');
  });
  page.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) dropZone.classList.remove('drag-over');
  });
  page.addEventListener('drop', (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    dropZone.classList.remove('drag-over');
    readFile(event.dataTransfer?.files[0]);
  });
  page.addEventListener('paste', (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith('image/'));
    if (!file) return;
    event.preventDefault();
    readFile(file);
  });

  return {
    image: () => current,
    showMissing: () =>
      errors.show(
        'image',
        loading ? 'The image is still loading. Try again in a moment.' : 'Choose the image that the video starts with.',
      ),
    load: (firstFrame) => void read(firstFrame),
  };
}
