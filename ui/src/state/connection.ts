// Whether messages arrive.
import { effect, signal } from '@preact/signals';

export type Connection =
  | { state: 'off' }
  | { state: 'connecting' }
  | { state: 'open' }
  /** The next attempt is at `retryAt` (milliseconds since 1970). */
  | { state: 'lost'; retryAt: number };

export const connection = signal<Connection>({ state: 'off' });

/** What the person is told: lost until it is open again, whatever attempts are made meanwhile. */
export const shownConnection = signal<Connection['state']>('off');

effect(() => {
  const { state } = connection.value;
  if (state !== 'connecting' || shownConnection.peek() !== 'lost') shownConnection.value = state;
});
