import type { Api } from './api.ts';
import { ApiProblem } from './api-problem.ts';

/** Sends a form with a file; resolves with the answer's status. @param progress told how much is sent, 0 to 1 */
export type SendForm = (url: string, form: FormData, progress: (share: number) => void) => Promise<{ status: number }>;

export interface Uploader {
  /**
   * Uploads a picture that is too large to come with a request. The same picture is uploaded once: its request must stay the same
   * while it has not got its video, or it would be paid for as another one.
   * @returns the URL to put into `img_url`
   * @throws ApiProblem
   */
  upload(picture: Blob, progress: (share: number) => void): Promise<string>;
  /** The upload is there no more: the next time the picture is sent again. */
  forget(picture: Blob): void;
}

export function createUploader(api: Pick<Api, 'createUpload'>, send: SendForm): Uploader {
  const uploaded = new WeakMap<Blob, string>();
  return {
    async upload(picture, progress) {
      const known = uploaded.get(picture);
      if (known) return known;
      progress(0);
      const upload = await api.createUpload({ content_type: picture.type, bytes: picture.size });
      const form = new FormData();
      for (const [name, value] of Object.entries(upload.fields)) form.append(name, value);
      // S3 reads no field after the file.
      form.append('file', picture);
      const { status } = await send(upload.upload_url, form, progress);
      if (status < 200 || status > 299) throw notUploaded(status);
      uploaded.set(picture, upload.media_url);
      return upload.media_url;
    },
    forget: (picture) => void uploaded.delete(picture),
  };
}

/** The storage's problem is never the key's: its 403 means that the form is not taken. */
const notUploaded = (status: number): ApiProblem =>
  new ApiProblem(0, {
    title: 'The picture could not be uploaded.',
    detail:
      status === 0
        ? 'The storage did not answer. Look whether you are online, then try again.'
        : `The storage answered ${status}. Try again, or choose another picture.`,
  });
