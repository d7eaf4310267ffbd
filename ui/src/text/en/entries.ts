// English texts that applications, clients and users have in common.

export const entries = {
  'entries.nameMissing': 'Enter a name.',
  'entries.editName': 'Edit {name}',
  'entries.created': '{name} was created',
  'entries.saved': '{name} was saved',
  'entries.deleteTitle': 'Delete {name}?',
  'entries.deleted': '{name} was deleted',
  'entries.actions': 'More actions for {name}',
  'entries.lastUsed': 'used {time}',
  'entries.neverUsed': 'never used',
  'entries.tokenOf': 'Token of {name}',
  'entries.tokenCopy': 'Copy token',
};
