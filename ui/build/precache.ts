// Tells the service worker which files make the page, and a version that changes with any of them.
import { createHash } from 'node:crypto';
import type { Plugin } from 'vite';

/** In `src/worker/sw.ts`: replaced by the list and the version. */
const FILES = '__PRECACHE_FILES__';
const VERSION = '__PRECACHE_VERSION__';

export function precache(): Plugin {
  return {
    name: 'precache',
    apply: 'build',
    enforce: 'post',
    generateBundle(_, bundle) {
      const worker = bundle['sw.js'];
      if (worker?.type !== 'chunk') throw new Error('the build has no chunk `sw.js`');
      const hashed = Object.keys(bundle)
        .filter((name) => /^assets\/.*\.(js|css|svg)$/.test(name) && !name.includes('/action-'))
        .sort();
      const index = bundle['index.html'];
      const digest = createHash('sha256').update(hashed.join());
      if (index?.type === 'asset') digest.update(index.source);
      const version = digest.digest('hex').slice(0, 12);
      worker.code = worker.code
        .replace(FILES, JSON.stringify(JSON.stringify(hashed)).slice(1, -1))
        .replace(VERSION, version);
    },
  };
}
