// What keys do with the list that is shown.
import { signal } from '@preact/signals';

export type ListCommands = {
  /** Moves the focus by so many messages. */
  move: (step: number) => void;
  /** Deletes the message that has the focus. */
  remove: () => void;
  /** Marks the message that has the focus and all older ones as read. */
  read: () => void;
};

/** Set by the list while it is shown. */
export const listCommands: { current: ListCommands | null } = { current: null };

/** Whether the screen of messages is to show the search, with the focus in it. Over once something has the focus. */
export const wantsSearch = signal(false);
