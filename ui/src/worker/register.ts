// Installs the service worker, where the browser has one (HTTPS, or this machine itself).
import { NetworkError } from '../api/errors';

/** For how long a worker may take to start. */
const PATIENCE_MS = 30_000;

/** Does it when the page has time: the first list is shown without. */
export function registerWorker(): void {
  if (!navigator.serviceWorker || !import.meta.env.PROD) return;
  const later = () => setTimeout(() => register().catch(() => {}), 1000);
  addEventListener('load', later);
  if (document.readyState === 'complete') later();
}

/** Resolves once the worker runs. Throws if it can't be installed: `ready` alone would be awaited for ever. */
export async function runWorker(): Promise<ServiceWorkerRegistration> {
  await register();
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new NetworkError('the service worker does not start')), PATIENCE_MS);
  });
  return Promise.race([navigator.serviceWorker.ready, late]);
}

function register(): Promise<ServiceWorkerRegistration> {
  return navigator.serviceWorker.register(scriptUrl());
}

type Policy = { createScriptURL: (url: string) => string };
type Factory = { createPolicy: (name: string, rules: Policy) => Policy };

let policy: Policy | undefined;

/** Where the server's policy demands Trusted Types, the address of a script has to be one. */
function scriptUrl(): string {
  const url = './sw.js';
  const factory = (globalThis as { trustedTypes?: Factory }).trustedTypes;
  // Each name may be used once.
  policy ??= factory?.createPolicy('shardcast', { createScriptURL: (same) => same });
  return policy?.createScriptURL(url) ?? url;
}
