// Starts the page. What the first screen needs is asked for before anything is rendered.
import { effect } from '@preact/signals';
import { render } from 'preact';
import { setHooks } from './api/request';
import { App } from './app';
import { elevate } from './elevation';
import { listenToKeys } from './keyboard';
import { followNotifications } from './notifications';
import { hadSession, loadOverview, loseSession } from './state/session';
import { applyTheme } from './state/settings';
import { followSession, startUser } from './state/start';
import { loadLanguage, wantedLanguage } from './text';
import { registerWorker } from './worker/register';

void loadOverview();
if (hadSession()) startUser();

applyTheme();
setHooks({ onUnauthorized: loseSession, elevate });
followSession();
followNotifications();
listenToKeys();
registerWorker();
effect(() => {
  wantedLanguage.value;
  loadLanguage().catch(() => {});
});

const root = document.getElementById('app');
if (root) render(<App />, root);
