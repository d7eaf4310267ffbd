// Makes `import()` in the built page nothing but that.
//
// Vite puts a function around it that first asks for the style sheets and the static imports of the chunk. This page has
// one style sheet, and its chunks import next to nothing but the entry.
import type { Plugin } from 'vite';

export function importPlainly(): Plugin {
  return {
    name: 'import-plainly',
    apply: 'build',
    enforce: 'pre',
    load(id) {
      if (!id.includes('vite/preload-helper')) return null;
      return 'export const __vitePreload = (load) => load();';
    },
  };
}
