// English texts of the screen `users`.

export const users = {
  'users.title': 'Users',
  'users.create': 'Create user',
  'users.edit': 'Edit user',
  'users.list': 'Users',
  'users.you': 'You',
  'users.admin': 'Administrator',
  'users.since': 'since {time}',
  'users.name': 'User name',
  'users.password': 'Password',
  'users.newPasswordHint': 'Empty keeps the password.',
  'users.isAdmin': 'Administrator',
  'users.isAdminHint': 'Administrators manage users and see what the server does.',
  'users.deleteName': 'Delete {name}',
  'users.deleteText':
    'All applications, clients and messages of this user are deleted too. This can’t be undone.',
};
