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
  'users.nameMissing': 'Bitte einen Namen eingeben.',
  'users.password': 'Passwort',
  'users.newPasswordHint': 'Leer heißt: das Passwort bleibt.',
  'users.isAdmin': 'Administrator',
  'users.isAdminHint': 'Administratoren verwalten Benutzer und sehen, was der Server tut.',
  'users.editName': '{name} bearbeiten',
  'users.deleteName': '{name} löschen',
  'users.created': '{name} wurde angelegt',
  'users.saved': '{name} wurde gespeichert',
  'users.deleteTitle': '{name} löschen?',
  'users.deleteText':
    'Auch alle Anwendungen, Geräte und Nachrichten dieses Benutzers werden gelöscht. Das lässt sich nicht rückgängig machen.',
  'users.deleted': '{name} wurde gelöscht',
};
