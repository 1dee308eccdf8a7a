/** An answer of the API, ready to be written. */
export interface ApiResponse {
  status: number;
  headers: (readonly [name: string, value: string])[];
  body: Buffer;
}

/** Whether a media type is one that the API passes on as bytes. */
export function isBinary(mediaType: string | undefined, binaryMediaTypes: readonly string[]): boolean {
  const plain = mediaType?.split(',')[0]?.split(';')[0]?.trim().toLowerCase();
  return binaryMediaTypes.some((candidate) => {
    if (candidate === '*/*') return true;
    return (
      plain !== undefined &&
      (candidate.toLowerCase() === plain || candidate.toLowerCase() === `${plain.split('/')[0]}/*`)
    );
  });
}
