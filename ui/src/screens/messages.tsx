// The screen `messages`.
import { t } from '../text';

export function Messages() {
  return (
    <div class="screen">
      <h1>{t('messages.title')}</h1>
    </div>
  );
}
