// The screen `help`.
import { t } from '../text';

export default function Help() {
  return (
    <div class="screen">
      <h1>{t('help.title')}</h1>
    </div>
  );
}
