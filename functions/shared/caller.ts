/** The authenticated caller. */
export interface Caller {
  owner: string;
  key_id: string;
}
