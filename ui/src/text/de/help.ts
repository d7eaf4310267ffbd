// German texts of the screen `help`.
import type { Text } from '../../text';
import type { help as english } from '../en/help';

export const help: Record<keyof typeof english, Text> = {
  'help.title': 'Hilfe',
};
