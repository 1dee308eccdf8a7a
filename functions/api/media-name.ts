/** How the name of a picture or a sound ends, by its content type: by its end a reader may tell what it is. */
export const extensionOf = (contentType: string): string =>
  contentType === 'audio/mpeg' ? 'mp3' : contentType.slice(contentType.indexOf('/') + 1);

/** Where a video's own picture or sound lies: below its id, named by its bytes, so that the same is stored once. */
export const inputKey = (id: string, sha256: string, contentType: string): string =>
  `inputs/${id}/${sha256}.${extensionOf(contentType)}`;
