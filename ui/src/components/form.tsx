// What all forms do: send once, say what went wrong, and lead to the field that is refused.
import { type Signal, useSignal } from '@preact/signals';
import { isGivenUp } from '../api/errors';
import { errorText } from '../state/toasts';

export type Submit = {
  onSubmit: (event: SubmitEvent) => void;
  isBusy: Signal<boolean>;
  /** What the server, or what is between, says. */
  error: Signal<string | null>;
};

/**
 * `send` sends the fields; what it throws is shown by [`FormError`]. `check` returns whether they may be sent, and marks
 * those that may not.
 */
export function useSubmit(send: () => Promise<void>, check: () => boolean = () => true): Submit {
  const isBusy = useSignal(false);
  const error = useSignal<string | null>(null);
  const onSubmit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (isBusy.value) return;
    const form = event.currentTarget as HTMLFormElement;
    error.value = null;
    if (!check()) {
      requestAnimationFrame(() => form.querySelector<HTMLElement>('[aria-invalid=true]')?.focus());
      return;
    }
    isBusy.value = true;
    try {
      await send();
    } catch (refused) {
      if (!isGivenUp(refused)) error.value = errorText(refused);
    } finally {
      isBusy.value = false;
    }
  };
  return { onSubmit: (event) => void onSubmit(event), isBusy, error };
}

export function FormError({ error }: { error: Signal<string | null> }) {
  return (
    <div role="alert" class="form-error">
      {error.value !== null && <p class="notice error">{error.value}</p>}
    </div>
  );
}

/** Ties a field to a signal. */
export function bound(text: Signal<string>): { value: string; onValue: (value: string) => void } {
  return {
    value: text.value,
    onValue: (value) => {
      text.value = value;
    },
  };
}

/** Reads a whole number; an empty field is `empty`. Null is for everything else, and for what is out of bounds. */
export function wholeNumber(text: string, empty: number, least: number, most: number): number | null {
  const trimmed = text.trim();
  if (trimmed === '') return empty;
  if (!/^-?\d+$/.test(trimmed)) return null;
  const value = Number(trimmed);
  return value >= least && value <= most ? value : null;
}
