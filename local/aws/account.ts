/** The account in every local ARN. */
export const account = '000000000000';
/** The region in every local ARN and signature. */
export const region = 'us-east-1';
/** The developer's credentials. The functions use those of their roles. */
export const developerAccessKey = { access_key_id: 'local', secret_access_key: 'local' } as const;
