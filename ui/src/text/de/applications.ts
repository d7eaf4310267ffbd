// German texts of the screen `applications`.
import type { Text } from '../../text';
import type { applications as english } from '../en/applications';

export const applications: Record<keyof typeof english, Text> = {
  'applications.title': 'Anwendungen',
  'applications.create': 'Anwendung anlegen',
  'applications.edit': 'Anwendung bearbeiten',
  'applications.empty': 'Noch keine Anwendungen',
  'applications.emptyHint':
    'Eine Anwendung sendet Nachrichten, zum Beispiel ein Skript zur Datensicherung. Dafür hat sie ein Token.',
  'applications.list': 'Anwendungen in ihrer Reihenfolge',
  'applications.messages': 'Nachrichten von {name}',
  'applications.unread': { one: '{count} ungelesen', other: '{count} ungelesen' },
  'applications.priority': 'Priorität {count}',
  'applications.keepsDays': { one: 'behält {count} Tag', other: 'behält {count} Tage' },
  'applications.keepsNewest': { one: 'behält die neueste Nachricht', other: 'behält die neuesten {count}' },
  'applications.tokenName': 'Token und Beispiele von {name}',
  'applications.internal': 'vom Server angelegt',

  'applications.name': 'Name',
  'applications.nameHint': 'Wird bei Nachrichten ohne Titel angezeigt.',
  'applications.description': 'Beschreibung',
  'applications.defaultPriority': 'Standardpriorität',
  'applications.defaultPriorityHint':
    'Gilt für Nachrichten ohne eigene Priorität. Ab 4 geben Telefone einen Ton aus, ab 8 vibrieren sie.',
  'applications.keep': 'Nachrichten behalten',
  'applications.keepHint': 'Ältere Nachrichten löscht der Server. Leer heißt: alle behalten.',
  'applications.keepDays': 'So viele Tage',
  'applications.keepNewest': 'Nur die neuesten',
  'applications.wholeNumber': 'Bitte eine ganze Zahl eingeben.',
  'applications.atLeastNumber': 'Bitte eine ganze Zahl von {least} bis {most} eingeben.',

  'applications.picture': 'Bild',
  'applications.pictureChange': 'Bild ändern',
  'applications.pictureRemove': 'Bild entfernen',
  'applications.pictureChanged': 'Das Bild von {name} wurde geändert',
  'applications.pictureRemoved': 'Das Bild von {name} wurde entfernt',

  'applications.tokenAndExamples': 'Token und Beispiele',
  'applications.tokenHidden':
    'Der Server zeigt ein Token nur einmal an. Ein verlorenes Token lässt sich ersetzen. In den Beispielen steht TOKEN an seiner Stelle.',
  'applications.tokenReplace': 'Token ersetzen',
  'applications.tokenReplaceTitle': 'Token von {name} ersetzen?',
  'applications.tokenReplaceText':
    'Das alte Token wird sofort abgelehnt. Wer damit sendet, braucht das neue.',
  'applications.examples': 'Beispiele',
  'applications.exampleCopy': 'Beispiel kopieren',
  'applications.exampleCurl': 'curl',
  'applications.exampleShell': 'Shell-Skript',
  'applications.examplePython': 'Python',
  'applications.exampleApprise': 'Apprise',
  'applications.copyCurl': 'Als curl kopieren',
  'applications.curlCopied': 'Der Befehl wurde kopiert',
  'applications.curlCopiedWithout': 'Der Befehl wurde kopiert. Für TOKEN bitte das Token einsetzen.',

  'applications.delete': 'Löschen',
  'applications.deleteText':
    'Auch ihre Nachrichten werden gelöscht, und ihr Token wird abgelehnt. Das lässt sich nicht rückgängig machen.',

  'applications.move': '{name} verschieben',
  'applications.moveHint': 'Eingabetaste drücken und mit den Pfeiltasten verschieben, oder ziehen.',
  'applications.moving':
    '{name} wird verschoben, Platz {place} von {count}. Pfeiltasten verschieben, die Eingabetaste beendet, Escape nimmt zurück.',
  'applications.movedTo': '{name}, Platz {place} von {count}',
  'applications.moved': '{name} steht jetzt auf Platz {place} von {count}',
  'applications.moveUndone': '{name} steht wieder auf Platz {place} von {count}',
};
