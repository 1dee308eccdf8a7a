/** The account that every ARN on this machine names. */
export const account = '000000000000';
/** The region that every ARN and signature on this machine names. */
export const region = 'us-east-1';
/** Credentials that work beside those of the functions: a person's. */
export const personalAccessKey = { access_key_id: 'local', secret_access_key: 'local' } as const;
