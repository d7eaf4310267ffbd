// The frame of what is shown to who is not logged in, and the step inside.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Refusal } from '../api/errors';
import { fetchOverview } from '../api/overview';
import type { CurrentUser } from '../api/types';
import { Brand } from '../components/Brand';
import { setUser, user } from '../state/session';
import { t } from '../text';

export function Entrance({ title, children }: { title: string; children: ComponentChildren }) {
  const root = useRef<HTMLElement>(null);
  // What had the focus is gone, and browsers obey `autofocus` only once.
  useLayoutEffect(
    () => root.current?.querySelector<HTMLElement>('input:not([hidden]), a, button')?.focus(),
    [],
  );
  return (
    <main class="centered" ref={root}>
      <div class="card stack">
        <Brand kind="entrance-brand" />
        <h1>{title}</h1>
        {children}
      </div>
    </main>
  );
}

/** Shows the page to who has logged in. Throws `Refusal` if the browser has dropped the cookie. */
export async function enter(loggedIn: CurrentUser): Promise<void> {
  // It would show an empty page that logs out at once.
  if (!(await fetchOverview()).user) throw new Refusal(t('login.cookieDropped'));
  // What is shown may be another user's.
  if (user.peek()) location.reload();
  else setUser(loggedIn);
}
