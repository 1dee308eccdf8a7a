import { S3ServiceException } from '@aws-sdk/client-s3';

/** S3 answers a conditional write that meets another one with 409: repeated, it finds what the other one wrote. */
const ATTEMPTS = 5;

/**
 * A write of an object that must not be there yet (`IfNoneMatch: '*'`), under a name that its bytes determine.
 * @returns the version that was written; none when these very bytes lay there already, written before or just now
 */
export async function writeOnce(
  write: () => Promise<{ VersionId?: string | undefined }>,
): Promise<{ version_id?: string }> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { VersionId } = await write();
      return VersionId ? { version_id: VersionId } : {};
    } catch (error) {
      if (!(error instanceof S3ServiceException)) throw error;
      if (error.name === 'PreconditionFailed') return {};
      if (error.name !== 'ConditionalRequestConflict' || attempt === ATTEMPTS) throw error;
    }
  }
}
