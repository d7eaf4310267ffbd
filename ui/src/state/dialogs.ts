// Dialogs that any screen can open.
import { signal } from '@preact/signals';

export const openDialog = signal<'send' | 'help' | null>(null);

export function closeDialog(): void {
  openDialog.value = null;
}
