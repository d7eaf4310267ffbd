// The screen `account`: one's password, and what one has chosen on this device.
import { Button } from '../components/Button';
import { overview, user } from '../state/session';
import { leave } from '../state/start';
import { toastError } from '../state/toasts';
import { t } from '../text';
import { Appearance } from './account/Appearance';
import { Notifications } from './account/Notifications';
import { Password } from './account/Password';

export default function Account() {
  return (
    <div class="screen narrow">
      <div class="screen-head">
        <div>
          <h1>{t('account.title')}</h1>
          <p class="muted">{t('account.loggedInAs', { name: user.value?.name ?? '' })}</p>
        </div>
        <Button icon="logOut" onClick={() => leave().catch(toastError)}>
          {t('account.logOut')}
        </Button>
      </div>
      <Appearance />
      <Notifications />
      <Password />
      <About />
    </div>
  );
}

function About() {
  const { version = '', compatibility = '' } = overview.value ?? {};
  return (
    <section class="card section">
      <h2>{t('account.about')}</h2>
      <dl class="pairs">
        <dt>{t('account.version')}</dt>
        <dd>Shardcast {version}</dd>
        {compatibility && (
          <>
            <dt>{t('account.compatibility')}</dt>
            <dd>{t('account.gotify', { version: compatibility.replace('v', '') })}</dd>
          </>
        )}
      </dl>
      <p>
        <a href="docs" target="_blank" rel="noopener">
          {t('account.documentation')}
        </a>
      </p>
      <p>
        <a href="#/help">{t('account.keys')}</a>
      </p>
    </section>
  );
}
