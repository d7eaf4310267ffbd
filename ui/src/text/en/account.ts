// English texts of the screen `account`.

export const account = {
  'account.title': 'Account',
};
