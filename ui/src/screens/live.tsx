// The screen `live`.
import { t } from '../text';

export default function Live() {
  return (
    <div class="screen">
      <h1>{t('live.title')}</h1>
    </div>
  );
}
