// The frame of what is shown to who is not logged in, and the step inside.
import type { ComponentChildren } from 'preact';
import type { CurrentUser } from '../api/types';
import { Brand } from '../components/Brand';
import { setUser } from '../state/session';

export function Entrance({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <main class="centered">
      <div class="card stack">
        <Brand kind="entrance-brand" />
        <h1>{title}</h1>
        {children}
      </div>
    </main>
  );
}

/** Shows the page to who has logged in. */
export function enter(user: CurrentUser): void {
  setUser(user);
}
