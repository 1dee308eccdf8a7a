/** The table's shape: the stack makes it so, and the code relies on it. */
export const partitionKey = 'pk';

/** When an item may be forgotten: seconds since 1970. DynamoDB deletes it within days after, so nobody relies on its being gone. */
export const timeToLive = 'ttl';

export const indexes = {
  /** All videos of an owner, by time. */
  byOwner: { name: 'by_owner', partition: 'owner', sort: 'created_at_id' },
  /** Sparse: only records that still need work have these attributes. */
  byStatus: { name: 'by_status', partition: 'open_status', sort: 'open_order' },
} as const;
