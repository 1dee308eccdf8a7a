import type { SendForm } from './upload.ts';

/** `fetch` does not tell how far it is. */
export const sendForm: SendForm = (url, form, progress) =>
  new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.upload.addEventListener('progress', ({ loaded, total }) => progress(total > 0 ? loaded / total : 0));
    // Without an answer the status is 0.
    request.addEventListener('loadend', () => resolve({ status: request.status }));
    request.open('POST', url);
    request.send(form);
  });
