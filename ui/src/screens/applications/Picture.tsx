// An application's picture in its dialog, where it is changed at once.
import { useRef } from 'preact/hooks';
import type { Application } from '../../api/types';
import { AppImage } from '../../components/AppImage';
import { Button } from '../../components/Button';
import { t } from '../../text';
import { changePicture, dropPicture, hasPicture } from './actions';
import { PictureInput } from './PictureInput';

export function Picture({ application }: { application: Application }) {
  const file = useRef<HTMLInputElement>(null);
  return (
    <fieldset class="row">
      <legend class="label">{t('applications.picture')}</legend>
      <AppImage application={application} size={40} />
      <Button icon="image" onClick={() => file.current?.click()}>
        {t('applications.pictureChange')}
      </Button>
      {hasPicture(application) && (
        <Button kind="quiet" onClick={() => void dropPicture(application)}>
          {t('applications.pictureRemove')}
        </Button>
      )}
      <PictureInput input={file} onPick={(picked) => void changePicture(application, picked)} />
    </fieldset>
  );
}
