// The time of day, for texts such as "5 minutes ago".
import { signal } from '@preact/signals';

/** Milliseconds since 1970, renewed every half minute while the page is visible. */
export const now = signal(Date.now());

const renew = () => {
  if (!document.hidden) now.value = Date.now();
};
setInterval(renew, 30_000);
document.addEventListener('visibilitychange', renew);
