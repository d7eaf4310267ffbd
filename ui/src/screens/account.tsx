// The screen `account`.
import { t } from '../text';

export default function Account() {
  return (
    <div class="screen">
      <h1>{t('account.title')}</h1>
    </div>
  );
}
