// Writes `licenses.txt`: the licenses of the packages that the page contains, as these licenses ask for.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

const PACKAGE = /^(.*node_modules\/((?:@[^/]+\/)?[^/]+))\//;

export function licenses(): Plugin {
  return {
    name: 'licenses',
    apply: 'build',
    generateBundle(_, bundle) {
      const folders = new Map<string, string>();
      for (const file of Object.values(bundle)) {
        for (const id of file.type === 'chunk' ? file.moduleIds : []) {
          const [, folder, name] = PACKAGE.exec(id) ?? [];
          if (folder && name) folders.set(name, folder);
        }
      }
      const texts = [...folders]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, folder]) => text(name, folder));
      this.emitFile({ type: 'asset', fileName: 'licenses.txt', source: texts.join(`\n${'='.repeat(80)}\n`) });
    },
  };
}

function text(name: string, folder: string): string {
  const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const files = readdirSync(folder).filter((file) => /^licen[cs]e/i.test(file));
  if (files.length === 0) throw new Error(`the package ${name} has no file with its license`);
  const contents = files.map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return `${name} ${version} (${license}):\n\n${contents.join('\n\n')}\n`;
}
