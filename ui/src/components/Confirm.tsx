// Asks before something that can't be undone: `if (await confirm({ … })) …`.
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { toast, toastError } from '../state/toasts';
import { t } from '../text';
import { Button } from './Button';
import { Dialog } from './Dialog';

export type Question = {
  title: string;
  text: ComponentChildren;
  /** What the button that does it says. */
  action: string;
  danger?: boolean;
};

const asked = signal<(Question & { answer: (yes: boolean) => void }) | null>(null);

/** Resolves to whether the person agreed. A question that is still open counts as denied. */
export function confirm(question: Question): Promise<boolean> {
  denyQuestion();
  return new Promise((resolve) => {
    asked.value = {
      ...question,
      answer: (yes) => {
        asked.value = null;
        resolve(yes);
      },
    };
  });
}

/** Asks whether to delete something, does it, and says `said`. */
export async function confirmDeletion(
  title: string,
  text: string,
  remove: () => Promise<void>,
  said: string,
): Promise<void> {
  if (!(await confirm({ title, text, action: t('button.delete'), danger: true }))) return;
  try {
    await remove();
    toast(said);
  } catch (error) {
    toastError(error);
  }
}

/** Answers the question that is open with no, if there is one. */
export function denyQuestion(): void {
  asked.peek()?.answer(false);
}

/** Where questions are shown; the frame has one. */
export function Confirm() {
  const question = asked.value;
  if (!question) return null;
  const { title, text, action, danger, answer } = question;
  return (
    <Dialog title={title} onClose={() => answer(false)}>
      <div>{text}</div>
      <div class="dialog-actions">
        <Button onClick={() => answer(false)}>{t('button.cancel')}</Button>
        <Button kind={danger ? 'danger' : 'primary'} onClick={() => answer(true)}>
          {action}
        </Button>
      </div>
    </Dialog>
  );
}
