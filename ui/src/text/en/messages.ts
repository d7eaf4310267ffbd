// English texts of the list of messages and of sending.

export const messages = {
  'messages.title': 'All messages',
};
