// German texts of the screen `applications`.
import type { Text } from '../../text';
import type { applications as english } from '../en/applications';

export const applications: Record<keyof typeof english, Text> = {
  'applications.title': 'Anwendungen',
};
