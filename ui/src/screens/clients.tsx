// The screen `clients`.
import { t } from '../text';

export default function Clients() {
  return (
    <div class="screen">
      <h1>{t('clients.title')}</h1>
    </div>
  );
}
