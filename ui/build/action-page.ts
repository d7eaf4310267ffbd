// Makes `action.html`, the document that makes the requests of action buttons (see `src/action`).
//
// Its script is a classic one: the document is sandboxed and has no origin, and a module would be asked for with CORS.
import type { Plugin } from 'vite';

export function actionPage(): Plugin {
  return {
    name: 'action-page',
    apply: 'build',
    generateBundle(_, bundle) {
      const script = Object.values(bundle).find((file) => file.type === 'chunk' && file.name === 'action');
      if (!script) throw new Error('the build has no chunk `action`');
      const source = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Request of an action button</title>
<script src="./${script.fileName}"></script>
</html>
`;
      this.emitFile({ type: 'asset', fileName: 'action.html', source });
    },
  };
}
