// The screen `users`.
import { t } from '../text';

export default function Users() {
  return (
    <div class="screen">
      <h1>{t('users.title')}</h1>
    </div>
  );
}
