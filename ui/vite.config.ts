// How the page is built: `npm run build` writes what the server embeds to `dist/`.
import { defineConfig } from 'vite';
import { actionPage } from './build/action-page.ts';
import { icon } from './build/icon.ts';
import { importPlainly } from './build/import-plainly.ts';
import { licenses } from './build/licenses.ts';
import { manifest } from './build/manifest.ts';
import { precache } from './build/precache.ts';

// `SHARDCAST=http://127.0.0.1:8080 npm run dev` serves the page beside a running server.
const server = process.env.SHARDCAST ?? 'http://127.0.0.1:8080';
const routes = [
  'application',
  'auth',
  'client',
  'current',
  'gotifyinfo',
  'health',
  'image',
  'message',
  'plugin',
  'shardcast',
  'static',
  'stream',
  'user',
  'version',
];

export default defineConfig({
  base: './',
  publicDir: false,
  plugins: [importPlainly(), icon(), manifest(), actionPage(), precache(), licenses()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: false,
    reportCompressedSize: false,
    // Terser, and after it Vite's own minifier: each finds what the other does not, together a sixtieth.
    minify: 'terser',
    terserOptions: { ecma: 2020, compress: { passes: 3, inline: 1, unsafe_arrows: true } },
    rolldownOptions: {
      // What the entry shares with lazy screens stays in its own file: one request less at the start.
      preserveEntrySignatures: 'allow-extension',
      input: { index: 'index.html', sw: 'src/worker/sw.ts', action: 'src/action/action.ts' },
      output: {
        minify: true,
        // All that the first screen needs is one file: each further one would be a request more at the start.
        codeSplitting: {
          groups: [
            { name: 'index', test: /\/src\/main\.tsx$/, priority: 2 },
            // The screens that manage something compress better together.
            {
              name: 'manage',
              test: /\/src\/screens\/(applications|clients|users|account|send|help)/,
              priority: 1,
            },
          ],
        },
        entryFileNames: (chunk) => (chunk.name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  server: {
    proxy: Object.fromEntries(
      routes.map((route) => [
        `^/${route}(/|\\?|$)`,
        { target: server, ws: route === 'stream', changeOrigin: false },
      ]),
    ),
  },
});
