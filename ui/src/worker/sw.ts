// The service worker: the page works without a network as far as it can, and pushes become notifications.
//
// It is built as a classic script, so it imports nothing.

type PushPayload = {
  id: number;
  appid: number;
  title: string;
  message: string;
  priority: number;
  url: string | null;
  /** Absent if the server could not count them. */
  unread?: number;
};

const worker = self as unknown as ServiceWorkerGlobalScope;
// The build puts them in.
const FILES = JSON.parse('__PRECACHE_FILES__') as string[];
// Servers below two paths of one host share its caches.
const CACHES_OF_THIS_PAGE = `shardcast ${worker.registration.scope} `;
const CACHE = `${CACHES_OF_THIS_PAGE}__PRECACHE_VERSION__`;
/** For how long the network may be slow before the page is shown from the cache. */
const PATIENCE_MS = 3000;

const index = new URL('./', worker.registration.scope).href;
const assets = new URL('./assets/', worker.registration.scope).href;

worker.addEventListener('install', (event) => {
  event.waitUntil(fill().then(() => worker.skipWaiting()));
});

async function fill(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.add(new Request(index, { cache: 'no-cache' }));
  await cache.addAll(FILES.map((file) => new URL(file, worker.registration.scope).href));
}

worker.addEventListener('activate', (event) => {
  event.waitUntil(removeOld().then(() => worker.clients.claim()));
});

async function removeOld(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(CACHES_OF_THIS_PAGE) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
}

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method !== 'GET') return;
  const url = new URL(request.url);
  if (url.href.startsWith(assets)) event.respondWith(fromCache(request));
  else if (request.mode === 'navigate' && isPage(url)) event.respondWith(fromNetwork(request));
});

/** Files with a hash in their name never change. */
async function fromCache(request: Request): Promise<Response> {
  return (await caches.match(request)) ?? fetch(request);
}

/** The newest page, or the one that is here if the network is away or slow. */
async function fromNetwork(request: Request): Promise<Response> {
  const cached = await caches.match(index);
  const loading = fetch(request);
  if (!cached) return loading;
  const late = new Promise<Response>((resolve) => setTimeout(() => resolve(cached), PATIENCE_MS));
  const answer = loading.then((response) => (response.status >= 500 ? cached : response)).catch(() => cached);
  return Promise.race([answer, late]);
}

worker.addEventListener('push', (event) => {
  const payload = event.data?.json() as PushPayload | undefined;
  if (payload) event.waitUntil(showPush(payload));
});

async function showPush({ id, appid, title, message, url, unread }: PushPayload): Promise<void> {
  const windows = await ownWindows();
  if (unread !== undefined && 'setAppBadge' in worker.navigator)
    await worker.navigator.setAppBadge(unread).catch(() => {});
  // Who sees the page sees the message.
  if (windows.some(({ visibilityState }) => visibilityState === 'visible')) return;
  const options: NotificationOptions & { actions: { action: string; title: string }[] } = {
    body: message,
    tag: `message-${id}`,
    data: { path: `/messages/${appid}?m=${id}`, url },
    // A sender may write anything.
    actions: url && /^https?:/i.test(url) ? [{ action: 'link', title: 'Open link' }] : [],
  };
  await worker.registration.showNotification(title, options);
}

/** The windows that show this page: others of the host, such as `/docs`, are not this worker's. */
async function ownWindows(): Promise<WindowClient[]> {
  const windows = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  return windows.filter(({ url }) => isPage(new URL(url)));
}

function isPage(url: URL): boolean {
  url.hash = '';
  return url.href === index || url.href === `${index}index.html`;
}

worker.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const { path, url } = event.notification.data as { path: string; url: string };
  event.waitUntil(event.action === 'link' ? worker.clients.openWindow(url) : open(path));
});

/** Shows a message in a window that is open, or in a new one. */
async function open(path: string): Promise<void> {
  const [known] = await ownWindows();
  if (!known) {
    await worker.clients.openWindow(`${index}#${path}`);
    return;
  }
  await known.focus().catch(() => {});
  known.postMessage({ path });
}
