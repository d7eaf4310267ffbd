// Runs the request of an action button in a sandboxed document, see `action.ts`.

export type ActionRequest = {
  url: string;
  method: string;
  headers?: Record<string, string>;
  body?: string;
};

const PATIENCE_MS = 30_000;

/** Resolves to the status of the answer; to null if there was none, or if the host does not let foreign pages see it. */
export function runRequest(action: ActionRequest): Promise<number | null> {
  const frame = document.createElement('iframe');
  frame.setAttribute('sandbox', 'allow-scripts');
  frame.hidden = true;
  frame.src = './action.html';
  return new Promise((resolve) => {
    const finish = (status: number | null) => {
      clearTimeout(timer);
      removeEventListener('message', receive);
      frame.remove();
      resolve(status);
    };
    const receive = ({ source, data }: MessageEvent<{ ready?: true; status?: number | null }>) => {
      if (source !== frame.contentWindow) return;
      if (data.ready) frame.contentWindow?.postMessage(action, '*');
      else finish(data.status ?? null);
    };
    const timer = setTimeout(() => finish(null), PATIENCE_MS);
    addEventListener('message', receive);
    document.body.append(frame);
  });
}
