// Lets the person pick a file as a picture: an input that is not shown, and is opened by something else.
import type { RefObject } from 'preact';
import { t } from '../../text';

export type PictureInputProps = { input: RefObject<HTMLInputElement | null>; onPick: (file: File) => void };

export function PictureInput({ input, onPick }: PictureInputProps) {
  return (
    <input
      ref={input}
      hidden
      type="file"
      accept=".png,.jpg,.jpeg,.gif"
      aria-label={t('applications.pictureChange')}
      onChange={({ currentTarget }) => {
        const [picked] = currentTarget.files ?? [];
        // The same file may be picked again.
        currentTarget.value = '';
        if (picked) onPick(picked);
      }}
    />
  );
}
