// English: all areas.
import { account } from './en/account';
import { applications } from './en/applications';
import { clients } from './en/clients';
import { entries } from './en/entries';
import { help } from './en/help';
import { live } from './en/live';
import { login } from './en/login';
import { messages } from './en/messages';
import { shell } from './en/shell';
import { users } from './en/users';

export const en = {
  ...shell,
  ...login,
  ...messages,
  ...applications,
  ...clients,
  ...users,
  ...account,
  ...live,
  ...entries,
  ...help,
};
