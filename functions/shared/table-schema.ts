// The table's schema: created by the stack and used by the code.
export const partitionKey = 'pk';

/** When an item expires: seconds since 1970. DynamoDB deletes it up to days later, so no code relies on the deletion. */
export const timeToLive = 'ttl';

/**
 * How long a duplicate of the request of a deleted or expired video is recognized and pays nothing: the life of a tombstone, and of a
 * record after its file has expired.
 */
export const TOMBSTONE_DAYS = 30;

export const indexes = {
  /** The videos of an owner, by time. */
  byOwner: { name: 'by_owner', partition: 'owner', sort: 'created_at_id' },
  /** Sparse: only items that still need work have these attributes. */
  byStatus: { name: 'by_status', partition: 'open_status', sort: 'open_order' },
} as const;
