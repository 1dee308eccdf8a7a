/** A response of the API, ready to be sent. */
export interface ApiResponse {
  status: number;
  headers: (readonly [name: string, value: string])[];
  body: Buffer;
}

/** Whether the API treats a media type as binary. */
export function isBinary(mediaType: string | undefined, binaryMediaTypes: readonly string[]): boolean {
  const essence = mediaType?.split(',')[0]?.split(';')[0]?.trim().toLowerCase();
  const patterns = ['*/*', essence, `${essence?.split('/')[0]}/*`];
  return binaryMediaTypes.some((candidate) => patterns.includes(candidate.toLowerCase()));
}
