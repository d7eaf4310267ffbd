// Makes the request of an action button, in a document without origin, cookie and token.
console.debug('action');
