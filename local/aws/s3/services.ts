import type { ObjectEvent } from './object-event.ts';
import type { Buckets } from './store/buckets.ts';

/** What operations may need; each asks for the part it uses. */
export interface Services {
  buckets: Buckets;
  /** Milliseconds. */
  now: () => number;
  /** Settles when the event is journaled; the request is answered after that. */
  onObjectEvent: (event: ObjectEvent) => Promise<void>;
}
