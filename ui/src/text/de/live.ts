// German texts of the screen `live`.
import type { Text } from '../../text';
import type { live as english } from '../en/live';

export const live: Record<keyof typeof english, Text> = {
  'live.title': 'Live',
};
