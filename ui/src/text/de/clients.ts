// German texts of the screen `clients`, and of the dialog that asks for the password again.
import type { Text } from '../../text';
import type { clients as english } from '../en/clients';

export const clients: Record<keyof typeof english, Text> = {
  'clients.title': 'Geräte',
  'clients.create': 'Gerät anlegen',
  'clients.intro': 'Apps und Browser, die Nachrichten empfangen. Jedes Gerät hat ein eigenes Token.',
  'clients.list': 'Geräte',
  'clients.thisDevice': 'Dieses Gerät',
  'clients.expires': 'läuft {time} ab, wenn unbenutzt',
  'clients.elevated': 'erhöhte Rechte, enden {time}',
  'clients.deleteName': '{name} löschen',
  'clients.edit': 'Gerät bearbeiten',
  'clients.name': 'Name',
  'clients.nameHint': 'Zum Beispiel der Name eines Telefons.',
  'clients.expiry': 'Läuft ab, wenn unbenutzt seit',
  'clients.never': 'Läuft nie ab',
  'clients.hours': { one: '{count} Stunde', other: '{count} Stunden' },
  'clients.days': { one: '{count} Tag', other: '{count} Tagen' },
  'clients.tokenShow': 'Token anzeigen',
  'clients.elevate': 'Rechte für eine Stunde erhöhen',
  'clients.elevatedNow': '{name} hat für eine Stunde erhöhte Rechte',
  'clients.endElevation': 'Erhöhte Rechte beenden',
  'clients.elevationEnded': '{name} hat keine erhöhten Rechte mehr',
  'clients.deleteText': 'Das Gerät wird sofort abgemeldet und bekommt keine Nachrichten mehr.',
  'clients.deleteSelf': 'Es ist das Gerät, das gerade benutzt wird: die Sitzung endet.',

  'elevate.title': 'Bitte bestätigen',
  'elevate.text':
    'Dafür wird das Passwort noch einmal gebraucht. Danach wird eine Stunde lang nicht mehr danach gefragt.',
  'elevate.password': 'Passwort',
  'elevate.confirm': 'Bestätigen',
  'elevate.wrong': 'Das Passwort ist falsch.',
  'elevate.provider': 'Mit dem Identitätsanbieter anmelden',
  'elevate.waiting': 'Bitte im neuen Tab anmelden. Danach geht es hier von selbst weiter.',
  'elevate.blocked': 'Der Browser hat den neuen Tab blockiert. Bitte erlauben und erneut versuchen.',
};
