// English texts of the login, the registration and the first start.

export const login = {
  'login.title': 'Log in',
  'login.name': 'User name',
  'login.password': 'Password',
  'login.submit': 'Log in',
  'login.wrong': 'The user name or the password is wrong.',
  'login.ended': 'The session has ended. Log in again.',
  'login.provider': 'Log in with the identity provider',
  'login.toRegister': 'Create an account',
  'login.toLogin': 'Log in with an account',
  'login.cookieDropped':
    'The browser did not keep the session’s cookie. The server may demand HTTPS for it (`securecookie`), or cookies are blocked.',
  'login.showPassword': 'Show password',
  'login.hidePassword': 'Hide password',

  'password.new': 'New password',
  'password.repeat': 'New password again',
  'password.missing': 'Enter a password.',
  'password.differs': 'The two passwords differ.',

  'register.title': 'Create an account',
  'register.submit': 'Create account',

  'setup.title': 'Welcome to Shardcast',
  'setup.text': 'Choose a password for {name}.',
  'setup.textAdministrator': 'Choose a password for the administrator {name}.',
  'setup.submit': 'Set password and log in',
  'setup.used': 'This link was used already, or the password was changed since.',
  'setup.usedHint':
    'Log in with the password that was chosen, or make another one: shardcast user reset-password.',
  'setup.toLogin': 'To the login',
};
