/**
 * Returns the flags with which Lambda starts Node for a memory size in MB. A tenth is for the young generation, half of it for
 * each semi-space, and the rest for the old generation (`/var/runtime/bootstrap` of AWS's image `public.ecr.aws/lambda/nodejs`,
 * also in whole MB). Buffers are outside of both heaps, so the memory of a copy is measured by the operating system.
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
