// German: all areas.
import type { Texts } from '../text';
import { account } from './de/account';
import { applications } from './de/applications';
import { clients } from './de/clients';
import { entries } from './de/entries';
import { help } from './de/help';
import { live } from './de/live';
import { login } from './de/login';
import { messages } from './de/messages';
import { shell } from './de/shell';
import { users } from './de/users';

export const de: Texts = {
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
