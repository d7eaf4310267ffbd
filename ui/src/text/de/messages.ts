// German texts of the list of messages and of sending.
import type { Text } from '../../text';
import type { messages as english } from '../en/messages';

export const messages: Record<keyof typeof english, Text> = {
  'messages.title': 'Alle Nachrichten',
  'messages.list': 'Nachrichten',
  'messages.tools': 'Werkzeuge',
  'messages.empty': 'Noch keine Nachrichten',
  'messages.emptyText': 'Sobald ein Programm eine Nachricht sendet, erscheint sie hier.',
  'messages.emptyNoApplication':
    'Nachrichten kommen über eine Anwendung: sie bekommt ein Token, mit dem Programme senden.',
  'messages.createApplication': 'Anwendung anlegen',
  'messages.noResults': 'Keine Nachricht passt',
  'messages.noResultsText':
    'Gesucht werden ganze Wörter, außer beim letzten. Ein * am Ende findet alle Wörter, die so beginnen.',
  'messages.failed': 'Die Nachrichten konnten nicht geladen werden',
  'messages.olderFailed': 'Ältere Nachrichten konnten nicht geladen werden.',
  'messages.new': { one: '{count} neue Nachricht', other: '{count} neue Nachrichten' },
  'messages.newLine': 'Neu',
  'messages.toNewest': 'Zur neuesten Nachricht',
  'messages.announced': {
    one: 'Neue Nachricht: {title}',
    other: '{count} neue Nachrichten, die neueste: {title}',
  },
  'messages.unread': 'Ungelesen',
  'messages.priority': 'Priorität {priority}',
  'messages.showAll': 'Alles anzeigen',
  'messages.tooLongForMarkdown':
    'Dieses Markdown ist zu lang, um formatiert zu werden, und steht hier wie geschrieben.',
  'messages.unknownApplication': 'Unbekannte Anwendung',

  'messages.delete': 'Nachricht löschen',
  'messages.deleted': 'Nachricht gelöscht',
  'messages.deleteAll': 'Alle Nachrichten löschen',
  'messages.deleteAllText':
    'Alle Nachrichten aller Anwendungen werden gelöscht. Das lässt sich nicht rückgängig machen.',
  'messages.deleteAllOf': 'Alle Nachrichten von {name} löschen',
  'messages.deleteAllOfText':
    'Alle Nachrichten der Anwendung {name} werden gelöscht. Das lässt sich nicht rückgängig machen.',
  'messages.deletedAll': 'Alle Nachrichten gelöscht',
  'messages.readAll': 'Alle als gelesen markieren',
  'messages.more': 'Weitere Aktionen',

  'messages.open': '{host} öffnen',
  'messages.showPicture': 'Bild von {host} anzeigen',
  'messages.picture': 'Bild von {host}',
  'messages.pictureFailed': 'Das Bild von {host} konnte nicht geladen werden.',
  'messages.pictureHint': 'Der fremde Server erfährt, dass die Nachricht geöffnet wurde.',

  'action.confirm': 'Diese Anfrage senden?',
  'action.confirmText': 'Der Absender der Nachricht möchte, dass dieser Browser diese Anfrage sendet:',
  'action.send': 'Anfrage senden',
  'action.done': '{label}: erledigt (Status {status})',
  'action.refused': '{label}: der Server antwortet mit Status {status}',
  'action.failed':
    '{label}: keine Antwort. Der Server ist nicht erreichbar oder erlaubt keine Anfragen von anderen Seiten (CORS).',

  'search.open': 'Suchen',
  'search.text': 'Nachrichten durchsuchen',
  'search.placeholder': 'Wörter in Titel oder Text',
  'search.priority': 'Priorität',
  'search.anyPriority': 'Alle',
  'search.atLeast': '{priority} und höher',
  'search.application': 'Anwendung',
  'search.anyApplication': 'Alle',
  'search.from': 'Von',
  'search.to': 'Bis',
  'search.noWord': 'Bitte ein Wort mit Buchstaben oder Ziffern eingeben',
  'search.tooManyWords': 'Eine Suche darf höchstens 32 Wörter haben',
  'search.daysReversed': 'Der erste Tag liegt nach dem letzten',
  'search.close': 'Suche beenden',
  'search.found': { one: '{count} Nachricht gefunden', other: '{count} Nachrichten gefunden' },
  'search.foundMore': 'Mehr als {count} Nachrichten gefunden',

  'notification.many': { one: '{count} neue Nachricht', other: '{count} neue Nachrichten' },

  'send.title': 'Nachricht senden',
  'send.application': 'Anwendung',
  'send.messageTitle': 'Titel',
  'send.titleHint': 'Ohne Titel steht hier der Name der Anwendung.',
  'send.message': 'Nachricht',
  'send.priority': 'Priorität',
  'send.defaultPriority': 'Voreinstellung ({priority})',
  'send.markdown': 'Text ist Markdown',
  'send.preview': 'Vorschau',
  'send.submit': 'Senden',
  'send.sent': 'Nachricht gesendet',
  'send.noApplication': 'Eine Nachricht wird von einer Anwendung gesendet, und es gibt noch keine.',
};
