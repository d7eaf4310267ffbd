// English texts of the frame and of what all screens use.

export const shell = {
  'nav.main': 'Main',
  'nav.menu': 'Menu',
  'nav.all': 'All messages',
  'nav.unread': { one: '{count} unread message', other: '{count} unread messages' },
  'nav.send': 'Send message',
  'nav.skip': 'Skip to content',

  'connection.off': 'Not connected',
  'connection.connecting': 'Connecting…',
  'connection.open': 'Connected',
  'connection.lost': 'Connection lost, trying again…',

  'button.cancel': 'Cancel',
  'button.close': 'Close',
  'button.create': 'Create',
  'button.delete': 'Delete',
  'button.save': 'Save',
  'button.retry': 'Try again',
  'button.undo': 'Undo',

  'time.now': 'now',
  'time.minutesAgo': '{count} min ago',
  'time.hoursAgo': '{count} h ago',
  'time.today': 'Today',
  'time.yesterday': 'Yesterday',

  copied: 'Copied',
  copyFailed: 'The browser does not let the page copy. Select the text and copy it yourself.',
  'token.once': 'Copy the token now: it is not shown again.',
  loading: 'Loading…',
  'error.server': 'The server says: {text}',
  'error.network': 'The server does not answer. Check the connection, and try again.',
  'error.tooMany': {
    one: 'Too many attempts. Try again in {count} second.',
    other: 'Too many attempts. Try again in {count} seconds.',
  },
  'error.unexpected': 'Something went wrong: {text}',
  'error.screen':
    'This part of the page could not be loaded. The server may have been updated: reload the page.',
  'error.reload': 'Reload the page',
  'notFound.title': 'There is no such page',
  'notFound.back': 'To the messages',
};
