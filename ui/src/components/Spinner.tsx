// Something is being loaded.
import { t } from '../text';

export function Spinner() {
  return (
    <div class="empty" role="status">
      <div class="spinner" />
      <span class="visually-hidden">{t('loading')}</span>
    </div>
  );
}
