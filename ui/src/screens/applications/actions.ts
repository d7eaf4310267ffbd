// What can be done with an application from its row and its dialogs.
import {
  deleteApplication,
  removePicture,
  replaceToken,
  updateApplication,
  uploadPicture,
} from '../../api/application-changes';
import { DEFAULT_PICTURE } from '../../api/applications';
import type { Application } from '../../api/types';
import { confirm, confirmDeletion } from '../../components/Confirm';
import { applications, applicationsById, reloadApplications } from '../../state/applications';
import { toast, toastError } from '../../state/toasts';
import { t } from '../../text';
import { changedKeys, moved } from './order';

/** Which dialog is open. A token is there if it was made just now. */
export type Shown =
  | { dialog: 'create' }
  | { dialog: 'edit'; id: number }
  | { dialog: 'token'; id: number; token?: string };

export function hasPicture({ image }: Application): boolean {
  return image !== DEFAULT_PICTURE;
}

/** Adds a new application, unless the list was loaded again before the answer came. */
export function keepCreated(created: Application): void {
  if (applicationsById.value.has(created.id)) return;
  applications.value = [...(applications.value ?? []), created];
}

/** Puts what the server answered in the place of what the list has. */
export function keepChanged(changed: Application): void {
  const old = applications.value ?? [];
  applications.value = old.map((one) => {
    if (one.id !== changed.id) return one;
    // An answer to a change may have the token in a form that opens nothing.
    const { token: _, ...rest } = changed;
    return { ...one, ...rest };
  });
}

/** Moves an application to another place, first in the list, then on the server. */
export async function moveApplication(id: number, to: number): Promise<void> {
  const before = applications.value ?? [];
  const from = before.findIndex((one) => one.id === id);
  if (from < 0) return;
  const list = moved(before, from, to);
  const changed = new Map(
    changedKeys(
      list.map(({ id, sortKey = '' }) => ({ id, sortKey })),
      to,
    ).map(({ id, sortKey }) => [id, sortKey]),
  );
  applications.value = list.map((one) => ({ ...one, sortKey: changed.get(one.id) ?? one.sortKey }));
  try {
    for (const { id, name, description, defaultPriority } of list) {
      const sortKey = changed.get(id);
      if (sortKey !== undefined) await updateApplication(id, { name, description, defaultPriority, sortKey });
    }
  } catch (error) {
    toastError(error);
    await reloadApplications().catch(toastError);
  }
}

export async function changePicture(application: Application, file: File): Promise<void> {
  const { name } = application;
  try {
    keepChanged(await uploadPicture(application.id, file));
    toast(t('applications.pictureChanged', { name }));
  } catch (error) {
    toastError(error);
  }
}

export async function dropPicture(application: Application): Promise<void> {
  const { id, name } = application;
  try {
    await removePicture(id);
    keepChanged({ ...application, image: DEFAULT_PICTURE });
    toast(t('applications.pictureRemoved', { name }));
  } catch (error) {
    toastError(error);
  }
}

/** Asks, then replaces the token; returns the new one, or null if that was not to be. */
export async function askToReplaceToken({ id, name, token }: Application): Promise<string | null> {
  const agreed = await confirm({
    title: t('applications.tokenReplaceTitle', { name }),
    text: t('applications.tokenReplaceText'),
    action: t('applications.tokenReplace'),
    danger: true,
  });
  if (!agreed) return null;
  try {
    const replaced = await replaceToken(id);
    // A server that lists tokens shows the new one from now on.
    if (token !== undefined) {
      applications.value = (applications.value ?? []).map((one) =>
        one.id === id ? { ...one, token: replaced } : one,
      );
    }
    return replaced;
  } catch (error) {
    toastError(error);
    return null;
  }
}

export function askToDelete({ id, name }: Application): Promise<void> {
  const remove = async () => {
    await deleteApplication(id);
    applications.value = (applications.value ?? []).filter((one) => one.id !== id);
  };
  return confirmDeletion(
    t('entries.deleteTitle', { name }),
    t('applications.deleteText'),
    remove,
    t('entries.deleted', { name }),
  );
}
