// English texts of the screen `users`.

export const users = {
  'users.title': 'Users',
};
