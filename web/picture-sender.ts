import type { Api } from './api.ts';
import type { ApiProblem } from './api-problem.ts';
import { find } from './dom.ts';
import { type Picture, toDataUrl } from './fit-picture.ts';
import { sendForm } from './send-form.ts';
import { createUploader } from './upload.ts';

/** How a picture gets into a request. */
export interface PictureSender {
  /** What `img_url` is: the picture itself, or the address of its upload, which shows how far it is. @throws ApiProblem */
  urlOf(picture: Picture): Promise<string>;
  /** Told of a request that was not taken: an upload that is there no more is made again the next time. */
  refused(picture: Picture, problem: ApiProblem): void;
}

/** @param inlineBytes a picture up to this size travels in the request itself */
export function createPictureSender(
  page: ParentNode,
  api: Pick<Api, 'createUpload'>,
  inlineBytes: number,
): PictureSender {
  const uploader = createUploader(api, sendForm);
  const bar = find(page, '#upload', HTMLProgressElement);
  const send = find(page, '#send', HTMLButtonElement);

  function show(share: number): void {
    bar.hidden = false;
    bar.value = share;
    send.textContent = `Uploading ${Math.floor(share * 100)} %`;
  }

  return {
    async urlOf(picture) {
      if (picture.blob.size <= inlineBytes) return toDataUrl(picture);
      try {
        return await uploader.upload(picture.blob, show);
      } finally {
        bar.hidden = true;
        send.textContent = 'Sending…';
      }
    },
    refused(picture, { errors }) {
      if (errors.some(({ code }) => code === 'upload_not_found')) uploader.forget(picture.blob);
    },
  };
}
