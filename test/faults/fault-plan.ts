/** The settings of fault injection in one life of the stack's process. */
export interface FaultPlan {
  seed: number;
  /** How often the process was started before; faults differ between lives. */
  life: number;
  /** URL of the proxy in front of the emulator; ends in `/api/v1`. */
  wan_url: string;
  /** Maximum number of setbacks (faults with a recovery of seconds) per video and life. */
  setbacks: number;
  /** Concurrent workers per function. */
  workers: number;
  /** API key → owner. */
  owners: Record<string, string>;
}

/** Faults of a call to AWS. */
export const callFaults = {
  error: '500 response without effect',
  throttled: 'throttled without effect',
  outage: '500 response to every retry',
  late: 'delayed',
  reset: 'connection reset without effect',
  'lost response': 'connection reset after the effect',
  twice: 'executed twice, with the second response',
  'killed before': 'the function killed before the effect',
  'killed after': 'the function killed after the effect',
  'partly refused': 'the last entry of a batch refused',
} as const;
export type CallFault = keyof typeof callFaults;

/** Faults of an event or an asynchronous invocation. */
export const deliveryFaults = { 'delivered twice': '', 'delivered late': '' } as const;
export type DeliveryFault = keyof typeof deliveryFaults;

/** Faults of any call to Wan. */
export type WanFault = 'answered 429' | 'answered 500' | 'answered 503' | 'reset before' | 'late';
export type SubmitFault = WanFault | 'reset after';
/** Faults of a list of active tasks. */
export type ListFault = 'without some rows' | 'outdated' | 'with shifted rows';
export type DownloadFault = WanFault | 'cut off' | 'too short' | 'slow' | 'expired';
