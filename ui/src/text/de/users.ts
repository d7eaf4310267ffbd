// German texts of the screen `users`.
import type { Text } from '../../text';
import type { users as english } from '../en/users';

export const users: Record<keyof typeof english, Text> = {
  'users.title': 'Benutzer',
  'users.create': 'Benutzer anlegen',
  'users.edit': 'Benutzer bearbeiten',
  'users.list': 'Benutzer',
  'users.you': 'Eigenes Konto',
  'users.admin': 'Administrator',
  'users.since': 'seit {time}',
  'users.name': 'Benutzername',
  'users.password': 'Passwort',
  'users.newPasswordHint': 'Leer heißt: das Passwort bleibt.',
  'users.isAdmin': 'Administrator',
  'users.isAdminHint': 'Administratoren verwalten Benutzer und sehen, was der Server tut.',
  'users.deleteName': '{name} löschen',
  'users.deleteText':
    'Auch alle Anwendungen, Geräte und Nachrichten dieses Benutzers werden gelöscht. Das lässt sich nicht rückgängig machen.',
};
