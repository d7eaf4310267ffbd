// German texts of the screen `account`.
import type { Text } from '../../text';
import type { account as english } from '../en/account';

export const account: Record<keyof typeof english, Text> = {
  'account.title': 'Konto',
  'account.loggedInAs': 'Angemeldet als {name}',
  'account.logOut': 'Abmelden',
  'account.password': 'Passwort',
  'account.passwordChange': 'Passwort ändern',
  'account.passwordChanged': 'Das Passwort wurde geändert',
  'account.passwordHint':
    'Andere Geräte bleiben angemeldet. Abmelden lassen sie sich, indem man sie in der Liste der Geräte löscht.',

  'account.appearance': 'Darstellung',
  'account.language': 'Sprache',
  'account.languageSystem': 'Wie im Browser ({name})',
  'account.shortcuts': 'Einzelne Tasten',
  'account.shortcutsHint': 'Tasten wie j und k führen durch die Nachrichten. Die Taste ? zeigt alle.',
  'account.theme': 'Farbschema',
  'account.themeSystem': 'Wie im System',
  'account.themeLight': 'Hell',
  'account.themeDark': 'Dunkel',

  'account.notifications': 'Benachrichtigungen',
  'account.device': 'Diese Einstellungen gelten für dieses Gerät.',
  'account.desktop': 'Benachrichtigungen auf dem Desktop',
  'account.desktopHint': 'Solange die Seite geöffnet, aber nicht im Vordergrund ist.',
  'account.desktopDenied':
    'Der Browser erlaubt dieser Seite keine Benachrichtigungen. Bitte in den Einstellungen des Browsers erlauben.',
  'account.desktopUnsupported': 'Dieser Browser kennt keine Benachrichtigungen.',
  'account.minPriority': 'Niedrigste angezeigte Priorität',
  'account.push': 'Web Push',
  'account.pushHint': 'Nachrichten erreichen dieses Gerät auch bei geschlossener Seite.',
  'account.pushOff': 'Auf dem Server ist Web Push ausgeschaltet.',
  'account.pushInsecure': 'Web Push braucht eine Seite, die über HTTPS kommt.',
  'account.pushUnsupported':
    'Dieser Browser kennt kein Web Push. Auf dem iPhone muss die Seite erst zum Home-Bildschirm hinzugefügt werden.',
  'account.pushPriority': 'Niedrigste gesendete Priorität',
  'account.sound': 'Ton',
  'account.soundHint': 'Ein kurzer Ton, wenn eine Nachricht eintrifft.',
  'account.soundTry': 'Ton probieren',
  'account.soundPriority': 'Niedrigste Priorität mit Ton',
  'account.anyPriority': 'Alle',
  'account.priorityFrom': '{count} und höher',

  'account.about': 'Über',
  'account.version': 'Version',
  'account.compatibility': 'Kompatibel mit',
  'account.gotify': 'Gotify {version}',
  'account.keys': 'Tasten dieser Seite',
  'account.documentation': 'Dokumentation der API',
};
