// Puts the icon of the tab into the page itself: it is small, and would be a request more. `Brand` shows it too.
import { readFileSync } from 'node:fs';
import type { Plugin } from 'vite';

export function icon(): Plugin {
  return {
    name: 'icon',
    transformIndexHtml: {
      order: 'post',
      handler: () => {
        const source = readFileSync('src/icons/icon.svg', 'utf8').trim();
        const href = `data:image/svg+xml,${encodeURIComponent(source)}`;
        return [{ tag: 'link', attrs: { rel: 'icon', type: 'image/svg+xml', href }, injectTo: 'head' }];
      },
    },
  };
}
