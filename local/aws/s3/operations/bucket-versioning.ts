import { receiveText } from '../body/receive.ts';
import { notImplemented, S3Error } from '../errors.ts';
import { malformed, readXml, textOf } from '../http/read-xml.ts';
import { writeXml } from '../http/write-xml.ts';
import { bodyHeaders, type Operation, xmlAnswer } from './operation.ts';

const selection = { target: 'bucket', selectors: ['versioning'] } as const;

export const getBucketVersioning: Operation = {
  name: 'GetBucketVersioning',
  method: 'GET',
  ...selection,
  run: async (call, services) => {
    call.record('s3:GetBucketVersioning');
    const { versioning } = services.buckets.get(call.target.bucket).state();
    const Status = versioning === 'Unversioned' ? undefined : versioning;
    return xmlAnswer(writeXml('VersioningConfiguration', { Status }));
  },
};

export const putBucketVersioning: Operation = {
  name: 'PutBucketVersioning',
  method: 'PUT',
  ...selection,
  headers: bodyHeaders,
  run: async (call, services) => {
    call.record('s3:PutBucketVersioning');
    const bucket = services.buckets.get(call.target.bucket);
    const configuration = readXml(await receiveText(call), 'VersioningConfiguration');
    if (textOf(configuration, 'MfaDelete') === 'Enabled') throw notImplemented('MFA delete');
    const status = textOf(configuration, 'Status');
    if (status === undefined) {
      throw new S3Error('IllegalVersioningConfigurationException', 'The Versioning element must be specified');
    }
    if (status !== 'Enabled' && status !== 'Suspended') throw malformed();
    bucket.configure({ ...bucket.state(), versioning: status });
    return { status: 200 };
  },
};
