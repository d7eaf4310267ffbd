// Pictures from other hosts, which are asked for only when the person says so: the host sees who looks.
import { toast } from '../../state/toasts';
import { t } from '../../text';

/** Puts a picture in the place of the button that shows it. */
export function showPicture(button: HTMLButtonElement, source: string, alt: string): void {
  const { host } = new URL(source);
  const image = document.createElement('img');
  image.className = 'picture';
  image.referrerPolicy = 'no-referrer';
  image.alt = alt || t('messages.picture', { host });
  image.onload = () => button.replaceWith(image);
  image.onerror = () => {
    button.disabled = false;
    toast(t('messages.pictureFailed', { host }), { kind: 'error' });
  };
  button.disabled = true;
  image.src = source;
}
