// The message that a user is writing. It outlives the dialog and the session, but is nobody else's.
import { signal } from '@preact/signals';

export const draft = {
  /** 0 if none was chosen. */
  appid: signal(0),
  title: signal(''),
  message: signal(''),
  priority: signal(''),
  isMarkdown: signal(false),
};

let owner: number | null = null;

/** Forgets what was written, unless it is this user's. Returns whether it was somebody else's. */
export function claimDraft(userId: number): boolean {
  const isForeign = owner !== null && owner !== userId;
  if (isForeign) forgetDraft();
  owner = userId;
  return isForeign;
}

export function forgetDraft(): void {
  owner = null;
  draft.appid.value = 0;
  draft.title.value = '';
  draft.message.value = '';
  draft.priority.value = '';
  draft.isMarkdown.value = false;
}
