// German texts of the sheet of keys.
import type { Text } from '../../text';
import type { help as english } from '../en/help';

export const help: Record<keyof typeof english, Text> = {
  'help.title': 'Tasten',
  'help.everywhere': 'Überall',
  'help.go': 'Gehe zu',
  'help.inMessages': 'In der Liste der Nachrichten',
  'help.inApplications': 'In der Liste der Anwendungen',
  'help.then': 'dann',
  'help.or': 'oder',
  'help.open': 'Diese Übersicht anzeigen',
  'help.search': 'Nachrichten suchen',
  'help.close': 'Dialog oder Menü schließen',
  'help.send': 'Nachricht senden',
  'help.messages': 'Alle Nachrichten',
  'help.applications': 'Anwendungen',
  'help.clients': 'Geräte',
  'help.users': 'Benutzer',
  'help.account': 'Konto',
  'help.live': 'Live',
  'help.next': 'Nächste Nachricht',
  'help.previous': 'Vorige Nachricht',
  'help.delete': 'Nachricht löschen',
  'help.read': 'Bis zu dieser Nachricht als gelesen markieren',
  'help.startMove': 'Auf dem Griff: Verschieben beginnen oder beenden',
  'help.moveUp': 'Nach oben oder unten verschieben',
  'help.undoMove': 'Verschieben zurücknehmen',
  'help.off': 'Beim Schreiben in einem Feld haben einzelne Tasten keine Wirkung.',
  'help.keyEnter': 'Eingabe',
  'help.keyEscape': 'Esc',
  'help.keyDelete': 'Entf',
};
