// Installs the service worker, where the browser has one (HTTPS, or this machine itself).

/** Does it when the page has time: the first list is shown without. */
export function registerWorker(): void {
  if (!navigator.serviceWorker || !import.meta.env.PROD) return;
  const register = () => navigator.serviceWorker.register(scriptUrl('./sw.js')).catch(() => {});
  addEventListener('load', () => setTimeout(register, 1000));
  if (document.readyState === 'complete') setTimeout(register, 1000);
}

type Policy = { createScriptURL: (url: string) => string };
type Factory = { createPolicy: (name: string, rules: Policy) => Policy };

/** Where the server's policy demands Trusted Types, the address of a script has to be one. */
function scriptUrl(url: string): string {
  const factory = (globalThis as { trustedTypes?: Factory }).trustedTypes;
  return factory
    ? factory.createPolicy('shardcast', { createScriptURL: (same) => same }).createScriptURL(url)
    : url;
}
