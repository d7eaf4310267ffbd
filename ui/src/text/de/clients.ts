// German texts of the screen `clients`.
import type { Text } from '../../text';
import type { clients as english } from '../en/clients';

export const clients: Record<keyof typeof english, Text> = {
  'clients.title': 'Geräte',
};
