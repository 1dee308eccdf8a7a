import { type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { handleDropEvent } from '../../../functions/drops/drop-event.ts';
import { objectCreated } from '../../../functions/drops/dropped-object.ts';
import { acceptManifest } from '../../../functions/drops/manifest.ts';
import { writeOutcome } from '../../../functions/drops/result-object.ts';
import { png } from '../media/support.ts';
import { body, jsonl, useManifests } from './manifests.ts';
import { get, put } from './results.ts';
import { aDropFolder } from './support.ts';

const world = useManifests();
const { services, upload, mine, resultOf, statusesOf, summaryOf } = world;

/** An S3 that answers reads of a key that ends so with an error. */
const refusing = (ending: string, name: string, status = 403): Pick<S3Client, 'send'> => ({
  send: ((command: { constructor: { name: string }; input: { Key?: string } }) =>
    command.constructor.name === 'GetObjectCommand' && command.input.Key?.endsWith(ending)
      ? Promise.reject(
          new S3ServiceException({ name, $fault: 'client', $metadata: { httpStatusCode: status }, message: name }),
        )
      : world.s3.send(command as never)) as S3Client['send'],
});

describe('an image of a manifest that S3 refuses', () => {
  test.each([
    ['AccessDenied', 403],
    ['InvalidObjectState', 403],
    ['KMS.DisabledException', 400],
    ['InvalidRequest', 400],
  ])('refuses only its line, with a result that names it: %s', async (name, status) => {
    await put(world.s3, 'uploads', `${world.folder}/good.png`, png(400, 380));
    await put(world.s3, 'uploads', `${world.folder}/locked.png`, png(400, 380));
    const object = await upload(jsonl(body('good.png'), body('locked.png'), body('none.png')));
    await acceptManifest(services({ s3: refusing('/locked.png', name, status) }), object);
    expect(await statusesOf(object)).toEqual([
      [2, 'refused'],
      [3, 'refused'],
    ]);
    expect((await resultOf(object, 2))!.error).toMatchObject({
      code: 'object_unreadable',
      message: expect.stringContaining(`"${world.folder}/locked.png" (${name})`),
    });
    expect(await mine()).toHaveLength(1);
    await world.endLine(1);
    expect(await summaryOf(object)).toMatchObject({ status: 'finished', lines: 3, succeeded: 1, refused: 2 });

    // The next upload tries it again.
    const again = await upload(jsonl(body('good.png'), body('locked.png')));
    await acceptManifest(services(), again);
    expect(await mine()).toHaveLength(2);
  });

  test('for now is named by the dead letter, and the other lines have their results', async () => {
    await put(world.s3, 'uploads', `${world.folder}/slow.png`, png(400, 380));
    const object = await upload(jsonl({}, body('slow.png'), {}));
    const slow = services({ s3: refusing('/slow.png', 'SlowDown', 503) });
    await expect(acceptManifest(slow, object)).rejects.toThrow(
      `1 lines of a manifest could not be accepted. The image ${world.folder}/slow.png could not be read: SlowDown.`,
    );
    expect(await statusesOf(object)).toEqual([
      [1, 'refused'],
      [3, 'refused'],
    ]);
    await acceptManifest(services(), object);
    await world.endLine(2);
    expect(await summaryOf(object)).toMatchObject({ refused: 2, succeeded: 1 });
  });
});

test('a manifest that S3 refuses has a summary with the reason', async () => {
  const object = await upload(jsonl(body()));
  const s3 = refusing('/manifest.jsonl', 'AccessDenied');
  const folder = aDropFolder(world.table);
  const own = {
    ...folder.services,
    acceptManifest: () => acceptManifest(services({ s3 }), object),
    writeOutcome: (...given: [typeof object, string, object]) => writeOutcome(world.s3, ...given),
  };
  await handleDropEvent(own, objectCreated(object));
  expect(await summaryOf(object)).toEqual({
    manifest: { bucket: 'uploads', key: object.key, version_id: object.version_id },
    status: 'refused',
    error: expect.objectContaining({ code: 'object_unreadable', message: expect.stringContaining(object.key) }),
  });
  expect(await mine()).toEqual([]);
});

test('a file with nearly the name of a manifest has a summary that names the right one', async () => {
  const key = `${world.folder}/Manifest.jsonl`;
  const object = await upload(jsonl(body()), key);
  const folder = aDropFolder(world.table);
  const own = {
    ...folder.services,
    writeOutcome: (...given: [typeof object, string, object]) => writeOutcome(world.s3, ...given),
  };
  await handleDropEvent(own, objectCreated(object));
  const { text } = (await get(world.s3, 'uploads', `${key}.results/summary.json`))!;
  expect(JSON.parse(text)).toMatchObject({
    manifest: { key },
    status: 'refused',
    error: { code: 'manifest_misnamed', hint: 'Upload the file again as manifest.jsonl.' },
  });
});
