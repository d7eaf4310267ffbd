// German texts of the screen `users`.
import type { Text } from '../../text';
import type { users as english } from '../en/users';

export const users: Record<keyof typeof english, Text> = {
  'users.title': 'Benutzer',
};
