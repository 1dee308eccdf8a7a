/** Who calls, as the authorizer found out. */
export interface Caller {
  owner: string;
  key_id: string;
}
