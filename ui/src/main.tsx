// Starts the page. What the first screen needs is asked for before anything is rendered.
import { effect } from '@preact/signals';
import { render } from 'preact';
import { setHooks } from './api/request';
import { App } from './app';
import { elevate } from './elevation';
import { forgetUser, hadSession, loadOverview } from './state/session';
import { applyTheme } from './state/settings';
import { startUser } from './state/start';
import { loadLanguage, wantedLanguage } from './text';

void loadOverview();
if (hadSession()) startUser();

applyTheme();
setHooks({ onUnauthorized: forgetUser, elevate });
effect(() => {
  wantedLanguage.value;
  loadLanguage().catch(() => {});
});

const root = document.getElementById('app');
if (root) render(<App />, root);
