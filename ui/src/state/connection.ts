// Whether messages arrive.
import { signal } from '@preact/signals';

export type Connection =
  | { state: 'off' }
  | { state: 'connecting' }
  | { state: 'open' }
  /** The next attempt is at `retryAt` (milliseconds since 1970). */
  | { state: 'lost'; retryAt: number };

export const connection = signal<Connection>({ state: 'off' });
