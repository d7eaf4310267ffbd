// The screen `applications`.
import { t } from '../text';

export default function Applications() {
  return (
    <div class="screen">
      <h1>{t('applications.title')}</h1>
    </div>
  );
}
