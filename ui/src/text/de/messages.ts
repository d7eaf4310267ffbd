// German texts of the list of messages and of sending.
import type { Text } from '../../text';
import type { messages as english } from '../en/messages';

export const messages: Record<keyof typeof english, Text> = {
  'messages.title': 'Alle Nachrichten',
};
