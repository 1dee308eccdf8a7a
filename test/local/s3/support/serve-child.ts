import { serve } from '../../../../local/aws/s3/s3.ts';

const [directory = '', secret = ''] = process.argv.slice(2);
const s3 = await serve({ directory, now: Date.now, secretOf: () => secret, onObjectEvent: async () => {} });
await s3.createBucket('files', {});
console.log(s3.endpoint);
