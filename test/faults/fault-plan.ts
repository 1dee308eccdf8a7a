/** What goes wrong with calls to AWS, in one life of the stack's process. */
export interface FaultPlan {
  seed: number;
  /** How often the process was started before: the same call fares otherwise in another life. */
  life: number;
  /** Of the proxy before the emulator; ends in `/api/v1`. */
  wan_url: string;
  /** So often at most, in one life, something happens to a video that takes its workflow seconds to get over. */
  setbacks: number;
  /** Of each function, at once. */
  workers: number;
  /** API keys and whose they are. */
  owners: Record<string, string>;
}

/** What may happen to a call to AWS. */
export const callFaults = {
  error: 'answered by 500, not carried out',
  throttled: 'refused by throttling, not carried out',
  outage: 'answered by 500 however often it is tried',
  late: 'carried out and answered late',
  reset: 'connection reset, not carried out',
  'lost answer': 'carried out, then the connection reset',
  twice: 'carried out twice, the second answer told',
  'killed before': 'its Lambda killed, not carried out',
  'killed after': 'carried out, its Lambda killed before the answer',
} as const;
export type CallFault = keyof typeof callFaults;

/** What may happen to an event or an asynchronous invocation. */
export const deliveryFaults = { 'delivered twice': '', 'delivered late': '' } as const;
export type DeliveryFault = keyof typeof deliveryFaults;

/** What may happen to any call to Wan. */
export type WanFault = 'answered 429' | 'answered 500' | 'answered 503' | 'reset before' | 'late';
export type SubmitFault = WanFault | 'reset after';
/** What may be wrong with a list of the tasks that go on. */
export type ListFault = 'without some rows' | 'of a moment ago' | 'with shifted rows';
export type DownloadFault = WanFault | 'cut off' | 'too short' | 'slow' | 'expired';
