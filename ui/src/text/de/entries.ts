// German texts that applications, clients and users have in common.

import type { Text } from '../../text';
import type { entries as english } from '../en/entries';

export const entries: Record<keyof typeof english, Text> = {
  'entries.nameMissing': 'Bitte einen Namen eingeben.',
  'entries.editName': '{name} bearbeiten',
  'entries.created': '{name} wurde angelegt',
  'entries.saved': '{name} wurde gespeichert',
  'entries.deleteTitle': '{name} löschen?',
  'entries.deleted': '{name} wurde gelöscht',
  'entries.actions': 'Weitere Aktionen für {name}',
  'entries.lastUsed': '{time} benutzt',
  'entries.neverUsed': 'nie benutzt',
  'entries.tokenOf': 'Token von {name}',
  'entries.tokenCopy': 'Token kopieren',
};
