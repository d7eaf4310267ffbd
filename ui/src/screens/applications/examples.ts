// Ready-made commands and programs that send a message as an application.

/** Stands in examples where the page does not know the token. */
export const PLACEHOLDER = 'TOKEN';

/** The URL that the page is served below, with a slash at its end. */
export function serverUrl(): string {
  return new URL('./', document.baseURI).href;
}

export type Example = {
  readonly name: 'curl' | 'shell' | 'python' | 'apprise';
  readonly code: string;
};

/**
 * Returns the examples for a server at a URL with a slash at its end, and for the application's token, or a placeholder
 * where it is not known.
 */
export function examples(server: string, token: string): readonly Example[] {
  return [
    { name: 'curl', code: curl(server, token) },
    { name: 'shell', code: shell(server, token) },
    { name: 'python', code: python(server, token) },
    { name: 'apprise', code: apprise(server, token) },
  ];
}

export function curl(server: string, token: string): string {
  return [
    `curl ${quoted(`${server}message`)}`,
    `-H ${quoted(`X-Gotify-Key: ${token}`)}`,
    "-F 'title=Backup'",
    "-F 'message=All files are safe.'",
    "-F 'priority=5'",
  ].join(' \\\n  ');
}

function shell(server: string, token: string): string {
  return `notify() {
  curl --silent --fail --output /dev/null ${quoted(`${server}message`)} \\
    -H ${quoted(`X-Gotify-Key: ${token}`)} \\
    --data-urlencode "title=$1" --data-urlencode "message=$2"
}

tar -czf home.tar.gz "$HOME" && notify Backup "All files are safe."`;
}

function python(server: string, token: string): string {
  return `import json
import urllib.request

message = {"title": "Backup", "message": "All files are safe.", "priority": 5}
request = urllib.request.Request(
    ${JSON.stringify(`${server}message`)},
    json.dumps(message).encode(),
    {"Content-Type": "application/json", "X-Gotify-Key": ${JSON.stringify(token)}},
)
urllib.request.urlopen(request, timeout=30)`;
}

function apprise(server: string, token: string): string {
  const { protocol, host, pathname } = new URL(server);
  const scheme = protocol === 'https:' ? 'gotifys' : 'gotify';
  return `apprise --title Backup --body 'All files are safe.' \\
  ${quoted(`${scheme}://${host}${pathname}${token}`)}`;
}

/** Quotes a text for POSIX shells. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
