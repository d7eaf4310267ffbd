// German texts of the screen `account`.
import type { Text } from '../../text';
import type { account as english } from '../en/account';

export const account: Record<keyof typeof english, Text> = {
  'account.title': 'Konto',
};
