// German texts of the login, the registration and the first start.
import type { Text } from '../../text';
import type { login as english } from '../en/login';

export const login: Record<keyof typeof english, Text> = {
  'login.title': 'Anmelden',
  'login.name': 'Benutzername',
  'login.password': 'Passwort',
  'login.submit': 'Anmelden',
  'login.wrong': 'Benutzername oder Passwort ist falsch.',
  'login.ended': 'Die Sitzung ist beendet. Bitte neu anmelden.',
  'login.provider': 'Mit dem Identitätsanbieter anmelden',
  'login.toRegister': 'Konto anlegen',
  'login.toLogin': 'Mit einem Konto anmelden',
  'login.cookieDropped':
    'Der Browser hat das Cookie der Sitzung nicht behalten. Vielleicht verlangt der Server dafür HTTPS (`securecookie`), oder Cookies sind blockiert.',
  'login.showPassword': 'Passwort anzeigen',
  'login.hidePassword': 'Passwort verbergen',

  'password.new': 'Neues Passwort',
  'password.repeat': 'Neues Passwort wiederholen',
  'password.missing': 'Bitte ein Passwort eingeben.',
  'password.differs': 'Die beiden Passwörter sind verschieden.',

  'register.title': 'Konto anlegen',
  'register.submit': 'Konto anlegen',

  'setup.title': 'Willkommen bei Shardcast',
  'setup.text': 'Bitte ein Passwort für {name} wählen.',
  'setup.textAdministrator': 'Bitte ein Passwort für {name} wählen, das Konto für die Administration.',
  'setup.submit': 'Passwort setzen und anmelden',
  'setup.used': 'Dieser Link wurde schon benutzt, oder das Passwort wurde seitdem geändert.',
  'setup.usedHint':
    'Bitte mit dem gewählten Passwort anmelden, oder ein neues setzen: shardcast user reset-password.',
  'setup.toLogin': 'Zur Anmeldung',
};
