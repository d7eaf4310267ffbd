// The service worker; grows into the offline shell and the receiver of Web Push.
/// <reference lib="webworker" />
const files = JSON.parse('__PRECACHE_FILES__') as string[];
const version = '__PRECACHE_VERSION__';
console.debug(version, files.length);
