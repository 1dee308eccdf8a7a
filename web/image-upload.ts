import type { Api } from './api.ts';
import { ApiProblem } from './api-problem.ts';
import { find } from './dom.ts';
import type { PreparedImage } from './prepare-image.ts';

/** Posts a form with a file; resolves with the response's status, 0 without a response. @param progress receives the share that is sent, 0 to 1 */
type PostForm = (url: string, form: FormData, progress: (share: number) => void) => Promise<{ status: number }>;

export interface Uploader {
  /**
   * Uploads an image that is too large for a request. The same image is uploaded once: a repeated request must have the same body,
   * or it would be paid for as another one.
   * @returns the URL for `img_url`
   * @throws ApiProblem
   */
  upload(image: Blob, progress: (share: number) => void): Promise<string>;
  /** Uploads the image again next time: the stored one was deleted. */
  forget(image: Blob): void;
}

export function createUploader(api: Pick<Api, 'createUpload'>, post: PostForm): Uploader {
  const uploaded = new WeakMap<Blob, string>();
  return {
    async upload(image, progress) {
      const known = uploaded.get(image);
      if (known) return known;
      progress(0);
      const { upload_url, fields, media_url } = await api.createUpload({ content_type: image.type, bytes: image.size });
      const form = new FormData();
      for (const [name, value] of Object.entries(fields)) form.append(name, value);
      // S3 ignores fields after the file.
      form.append('file', image);
      const { status } = await post(upload_url, form, progress);
      if (status < 200 || status > 299) throw uploadFailed(status);
      uploaded.set(image, media_url);
      return media_url;
    },
    forget: (image) => void uploaded.delete(image),
  };
}

/** Status 0, so that S3's 403 is not taken for a rejected key. */
const uploadFailed = (status: number): ApiProblem =>
  new ApiProblem(0, {
    title: 'The image could not be uploaded.',
    detail:
      status === 0
        ? 'The storage does not respond. Check your connection, then try again.'
        : `The storage responded with status ${status}. Try again, or choose another image.`,
  });

/** By XMLHttpRequest, because `fetch` reports no upload progress. */
const postForm: PostForm = (url, form, progress) =>
  new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.upload.addEventListener('progress', ({ loaded, total }) => progress(total > 0 ? loaded / total : 0));
    request.addEventListener('loadend', () => resolve({ status: request.status }));
    request.open('POST', url);
    request.send(form);
  });

/** Puts images into requests. */
export interface ImageSender {
  /** Returns `img_url`: the image itself, or the URL of its upload, whose progress the page shows. @throws ApiProblem */
  urlOf(image: PreparedImage): Promise<string>;
  /** Called when the API refused the request: an upload that no longer exists is repeated next time. */
  refused(image: PreparedImage, problem: ApiProblem): void;
}

/** @param inlineBytes largest image that is sent within the request */
export function createImageSender(page: ParentNode, api: Pick<Api, 'createUpload'>, inlineBytes: number): ImageSender {
  const uploader = createUploader(api, postForm);
  const bar = find(page, '#upload', HTMLProgressElement);
  const button = find(page, '#submit', HTMLButtonElement);

  function showProgress(share: number): void {
    bar.hidden = false;
    bar.value = share;
    button.textContent = `Uploading ${Math.floor(share * 100)} %`;
  }

  return {
    async urlOf({ blob }) {
      if (blob.size <= inlineBytes) return toDataUrl(blob);
      try {
        return await uploader.upload(blob, showProgress);
      } finally {
        bar.hidden = true;
        button.textContent = 'Sending…';
      }
    },
    refused({ blob }, { errors }) {
      if (errors.some(({ code }) => code === 'upload_not_found')) uploader.forget(blob);
    },
  };
}

function toDataUrl(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}
