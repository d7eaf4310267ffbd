// Makes the web app manifest, with icons whose names have the hash of their content.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

const FOLDER = 'src/icons';
const ICONS = [
  { file: 'icon.svg', sizes: 'any', type: 'image/svg+xml', purpose: 'any' },
  { file: 'icon-192.png', sizes: '192x192', type: 'image/png', purpose: 'any' },
  { file: 'icon-512.png', sizes: '512x512', type: 'image/png', purpose: 'any' },
  { file: 'icon-maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
] as const;

export function manifest(): Plugin {
  const emitted = new Map<string, string>();
  return {
    name: 'manifest',
    apply: 'build',
    buildStart() {
      for (const { file } of ICONS) {
        const source = readFileSync(join(FOLDER, file));
        emitted.set(file, this.emitFile({ type: 'asset', name: file, source }));
      }
    },
    transformIndexHtml: {
      order: 'post',
      handler: () => [{ tag: 'link', attrs: { rel: 'manifest', href: './manifest.json' }, injectTo: 'head' }],
    },
    generateBundle() {
      const icons = ICONS.map(({ file, ...rest }) => ({
        src: `./${this.getFileName(emitted.get(file) ?? '')}`,
        ...rest,
      }));
      const content = {
        name: 'Shardcast',
        short_name: 'Shardcast',
        description: 'Messages from your servers and programs',
        id: './',
        start_url: './',
        scope: './',
        display: 'standalone',
        background_color: '#f6f7f9',
        theme_color: '#1f5fbf',
        categories: ['utilities', 'productivity'],
        icons,
      };
      this.emitFile({
        type: 'asset',
        fileName: 'manifest.json',
        source: `${JSON.stringify(content, null, 1)}\n`,
      });
    },
  };
}
