import { expect, test } from 'vitest';
import { curl, examples } from './examples';

test('a command to copy names the server below its path prefix, and the token', () => {
  expect(curl('https://push.example/gotify/', 'Aabc')).toBe(
    "curl 'https://push.example/gotify/message' \\\n" +
      "  -H 'X-Gotify-Key: Aabc' \\\n" +
      "  -F 'title=Backup' \\\n" +
      "  -F 'message=All files are safe.' \\\n" +
      "  -F 'priority=5'",
  );
});

test("Apprise's URL has the scheme, the port, the path and the token", () => {
  const url = (server: string) => examples(server, 'A1').find(({ name }) => name === 'apprise')?.code ?? '';
  expect(url('https://push.example/')).toContain("'gotifys://push.example/A1'");
  expect(url('http://10.0.0.1:8080/gotify/')).toContain("'gotify://10.0.0.1:8080/gotify/A1'");
});

test('a quote in an address ends no argument', () => {
  expect(curl("https://push.example/it's/", 'A1')).toContain("'https://push.example/it'\\''s/message'");
});
