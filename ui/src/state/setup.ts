// The link that the server prints at its first start: `#/setup/NAME/PASSWORD`.
//
// What follows `#` never leaves the browser. It is taken out of the address at once, so that it is in no history.
import { effect, signal } from '@preact/signals';
import { navigate, route } from '../router';

/** The administrator and the password that the server made up; null when no such link was opened. */
export const setupLink = signal<{ name: string; password: string } | null>(null);

effect(() => {
  const [screen, name, password] = route.value.parts;
  if (screen !== 'setup' || !name || !password) return;
  setupLink.value = { name, password };
  navigate('/messages', { replace: true });
});
