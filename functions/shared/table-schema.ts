/** The table's shape: the stack makes it so, and the code relies on it. */
export const partitionKey = 'pk';

export const indexes = {
  /** All videos of an owner, by time. */
  byOwner: { name: 'by_owner', partition: 'owner', sort: 'created_at_id' },
  /** Sparse: only records that still need work have these attributes. */
  byStatus: { name: 'by_status', partition: 'open_status', sort: 'open_order' },
} as const;
