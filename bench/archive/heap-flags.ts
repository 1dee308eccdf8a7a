/**
 * What Node is started with in a Lambda of so much memory: a tenth of it is meant for young objects, half of that for each of their
 * two halves, and the rest for old ones (`/var/runtime/bootstrap` of AWS's image `public.ecr.aws/lambda/nodejs`, which counts in
 * whole MB too). Buffers lie outside of both, so it takes the system to say what a copy holds.
 */
export function heapFlags(memoryMb: number): string[] {
  const young = Math.floor(memoryMb / 10);
  return [
    '--expose-gc',
    '--max-http-header-size=81920',
    `--max-semi-space-size=${Math.floor(young / 2)}`,
    `--max-old-space-size=${memoryMb - young}`,
  ];
}
