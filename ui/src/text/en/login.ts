// English texts of the login, the registration and the first start.

export const login = {
  'login.title': 'Log in',
  'login.name': 'User name',
  'login.password': 'Password',
  'login.submit': 'Log in',
  'login.wrong': 'The user name or the password is wrong.',
  'login.ended': 'The session has ended. Log in again.',
  'login.provider': 'Log in with the identity provider',
  'login.or': 'or',
  'login.toRegister': 'Create an account',
  'login.toLogin': 'Log in with an account',
  'login.cookieDropped':
    'The browser did not keep the session’s cookie. The server may demand HTTPS for it (`securecookie`), or cookies are blocked.',
  'login.showPassword': 'Show password',
  'login.hidePassword': 'Hide password',
  'login.setupHint':
    'This server was just set up: open the link that it has printed to its log, and choose a password.',

  'register.title': 'Create an account',
  'register.submit': 'Create account',
  'register.tooLong': 'A password may have 72 bytes at most.',

  'setup.title': 'Welcome to Shardcast',
  'setup.text':
    'Choose the administrator’s password. The user’s name is admin, unless the configuration says otherwise.',
  'setup.password': 'New password',
  'setup.repeat': 'New password again',
  'setup.submit': 'Set password and log in',
  'setup.differs': 'The two passwords differ.',
  'setup.used':
    'This link was used already, or it is too old. A restarted server prints a new one while the administrator has no password.',
  'setup.missing': 'The server does not know this kind of link.',
};
