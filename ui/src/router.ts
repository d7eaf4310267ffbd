// Which screen is shown: the part of the address after `#`, so that the server need not know the page's paths.
import { computed, signal } from '@preact/signals';

export type Route = {
  /** The parts of the path, such as `['messages', '3']`. */
  parts: string[];
  query: URLSearchParams;
};

const hash = signal(location.hash);
addEventListener('hashchange', () => {
  hash.value = location.hash;
});

export const route = computed(() => parseHash(hash.value));

/** The first part of the path: the screen. */
export const screenName = computed(() => route.value.parts[0] ?? 'messages');

/** Reads `#/messages/3?m=7`. */
export function parseHash(text: string): Route {
  const [path = '', query = ''] = text.replace(/^#/, '').split(/\?(.*)/s);
  const parts = path.split('/').filter(Boolean).map(decode);
  return { parts, query: new URLSearchParams(query) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Goes to a path such as `/messages/3`. `replace` leaves no step back. */
export function navigate(path: string, options: { replace?: boolean } = {}): void {
  if (options.replace) history.replaceState(null, '', `#${path}`);
  else history.pushState(null, '', `#${path}`);
  hash.value = location.hash;
}

/** Returns the path of the messages of an application, or of all. */
export function messagesPath(appid?: number): string {
  return appid === undefined ? '/messages' : `/messages/${appid}`;
}
