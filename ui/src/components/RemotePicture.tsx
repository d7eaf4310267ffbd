// A picture from another host, which is asked for only when the person says so: the host sees who looks.
import { useSignal } from '@preact/signals';
import { toast } from '../state/toasts';
import { t } from '../text';

export type RemotePictureProps = { url: string; alt?: string; tabIndex?: number };

export function RemotePicture({ url, alt, tabIndex }: RemotePictureProps) {
  const state = useSignal<'hidden' | 'loading' | 'shown'>('hidden');
  const { host } = new URL(url);
  return (
    <>
      {state.value !== 'shown' && (
        <button
          type="button"
          class="picture-button"
          title={t('messages.pictureHint')}
          tabIndex={tabIndex}
          disabled={state.value === 'loading'}
          onClick={() => {
            state.value = 'loading';
          }}
        >
          {t('messages.showPicture', { host })}
        </button>
      )}
      {state.value !== 'hidden' && (
        <img
          class="picture"
          hidden={state.value === 'loading'}
          crossorigin={sharesCookies(url) ? 'anonymous' : undefined}
          src={url}
          alt={alt || t('messages.picture', { host })}
          referrerpolicy="no-referrer"
          onLoad={() => {
            state.value = 'shown';
          }}
          onError={() => {
            state.value = 'hidden';
            toast(t('messages.pictureFailed', { host }), { kind: 'error' });
          }}
        />
      )}
    </>
  );
}

/** Cookies know no ports: another server on this host would get the session's. */
function sharesCookies(url: string): boolean {
  const { hostname, origin } = new URL(url);
  return hostname === location.hostname && origin !== location.origin;
}
