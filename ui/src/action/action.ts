// Makes the request of an action button, in `action.html`: a sandboxed document without origin, cookie and token.
//
// The page can't make it, because its Content-Security-Policy lets it talk to its own server alone. The page hands the
// request over, and gets back a status and nothing else.

import type { ActionRequest } from './run';

addEventListener('message', async ({ source, data }: MessageEvent<ActionRequest>) => {
  if (source !== parent) return;
  const { url, method, headers, body } = data;
  const init: RequestInit = { method, mode: 'cors', credentials: 'omit', referrerPolicy: 'no-referrer' };
  if (headers) init.headers = headers;
  if (body !== undefined && method !== 'GET' && method !== 'HEAD') init.body = body;
  try {
    const { status } = await fetch(url, init);
    parent.postMessage({ status }, '*');
  } catch {
    parent.postMessage({ status: null }, '*');
  }
});

parent.postMessage({ ready: true }, '*');
