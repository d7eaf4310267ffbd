// German texts of the frame and of what all screens use.
import type { Text } from '../../text';
import type { shell as english } from '../en/shell';

export const shell: Record<keyof typeof english, Text> = {
  'nav.main': 'Hauptnavigation',
  'nav.menu': 'Menü',
  'nav.all': 'Alle Nachrichten',
  'nav.unread': { one: '{count} ungelesene Nachricht', other: '{count} ungelesene Nachrichten' },
  'nav.send': 'Nachricht senden',
  'nav.skip': 'Zum Inhalt springen',

  'connection.off': 'Nicht verbunden',
  'connection.connecting': 'Verbindung wird aufgebaut…',
  'connection.open': 'Verbunden',
  'connection.lost': 'Verbindung unterbrochen, neuer Versuch…',

  'button.cancel': 'Abbrechen',
  'button.close': 'Schließen',
  'button.create': 'Anlegen',
  'button.delete': 'Löschen',
  'button.save': 'Speichern',
  'button.retry': 'Erneut versuchen',
  'button.undo': 'Rückgängig',

  'time.now': 'jetzt',
  'time.minutesAgo': 'vor {count} Min.',
  'time.hoursAgo': 'vor {count} Std.',
  'time.today': 'Heute',
  'time.yesterday': 'Gestern',

  copied: 'Kopiert',
  copyFailed: 'Der Browser erlaubt das Kopieren nicht. Bitte den Text markieren und selbst kopieren.',
  'token.once': 'Das Token jetzt kopieren: es wird nicht noch einmal angezeigt.',
  loading: 'Wird geladen…',
  'error.server': 'Der Server meldet: {text}',
  'error.network': 'Der Server antwortet nicht. Bitte die Verbindung prüfen und es erneut versuchen.',
  'error.tooMany': {
    one: 'Zu viele Versuche. Bitte in {count} Sekunde erneut versuchen.',
    other: 'Zu viele Versuche. Bitte in {count} Sekunden erneut versuchen.',
  },
  'error.unexpected': 'Etwas ist schiefgegangen: {text}',
  'error.screen':
    'Dieser Teil der Seite lässt sich nicht laden. Vielleicht wurde der Server aktualisiert: bitte die Seite neu laden.',
  'error.reload': 'Seite neu laden',
  'notFound.title': 'Diese Seite gibt es nicht',
  'notFound.back': 'Zu den Nachrichten',
};
