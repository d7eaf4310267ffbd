// English texts of the screen `help`.

export const help = {
  'help.title': 'Help',
};
