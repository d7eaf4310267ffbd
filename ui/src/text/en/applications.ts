// English texts of the screen `applications`.

export const applications = {
  'applications.title': 'Applications',
  'applications.create': 'Create application',
  'applications.edit': 'Edit application',
  'applications.empty': 'There are no applications yet',
  'applications.emptyHint':
    'An application is what sends messages, for example a backup script. It has a token to send with.',
  'applications.list': 'Applications, in their order',
  'applications.messages': 'Messages of {name}',
  'applications.unread': { one: '{count} unread', other: '{count} unread' },
  'applications.priority': 'Priority {count}',
  'applications.keepsDays': { one: 'keeps {count} day', other: 'keeps {count} days' },
  'applications.keepsNewest': { one: 'keeps the newest message', other: 'keeps the newest {count}' },
  'applications.tokenName': 'Token and examples of {name}',
  'applications.internal': 'made by the server',

  'applications.name': 'Name',
  'applications.nameHint': 'Shown with messages that have no title.',
  'applications.description': 'Description',
  'applications.defaultPriority': 'Default priority',
  'applications.defaultPriorityHint':
    'Of messages that are sent without one. From 4 on phones make a sound, from 8 on they vibrate.',
  'applications.keep': 'Keep messages',
  'applications.keepHint': 'Older messages are deleted by the server. Empty keeps them all.',
  'applications.keepDays': 'For so many days',
  'applications.keepNewest': 'Only the newest',
  'applications.wholeNumber': 'Enter a whole number.',
  'applications.atLeastNumber': 'Enter a whole number from {least} to {most}.',

  'applications.picture': 'Picture',
  'applications.pictureChange': 'Change picture',
  'applications.pictureRemove': 'Remove picture',
  'applications.pictureChanged': 'The picture of {name} was changed',
  'applications.pictureRemoved': 'The picture of {name} was removed',

  'applications.tokenAndExamples': 'Token and examples',
  'applications.tokenHidden':
    'The server shows a token only once. If you have lost it, replace it. The examples have TOKEN in its place.',
  'applications.tokenReplace': 'Replace token',
  'applications.tokenReplaceTitle': 'Replace the token of {name}?',
  'applications.tokenReplaceText':
    'The old token is refused at once. What sends with it must get the new one.',
  'applications.examples': 'Examples',
  'applications.exampleCopy': 'Copy example',
  'applications.exampleCurl': 'curl',
  'applications.exampleShell': 'Shell script',
  'applications.examplePython': 'Python',
  'applications.exampleApprise': 'Apprise',
  'applications.copyCurl': 'Copy as curl',
  'applications.curlCopied': 'The command was copied',
  'applications.curlCopiedWithout': 'The command was copied. Put the token in place of TOKEN.',

  'applications.delete': 'Delete',
  'applications.deleteText': 'Its messages are deleted too, and its token is refused. This can’t be undone.',

  'applications.move': 'Move {name}',
  'applications.moveHint': 'Press Enter to move with the arrow keys, or drag.',
  'applications.moving':
    '{name} is being moved, place {place} of {count}. Arrow keys move it, Enter ends, Escape takes back.',
  'applications.movedTo': '{name}, place {place} of {count}',
  'applications.moved': '{name} was moved to place {place} of {count}',
  'applications.moveUndone': '{name} is back at place {place} of {count}',
};
