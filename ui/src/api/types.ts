// What the server sends: Gotify's objects, and Shardcast's own below `shardcast/`. Times are RFC 3339.

export type Extras = Record<string, unknown>;

export type Message = {
  id: number;
  appid: number;
  title: string;
  message: string;
  priority: number;
  date: string;
  extras?: Extras;
};

export type PagedMessages = {
  paging: { next?: string; size: number; since: number; after?: number; limit: number };
  messages: Message[];
};

export type Application = {
  id: number;
  name: string;
  description: string;
  internal: boolean;
  /** Relative to the page. */
  image: string;
  defaultPriority: number;
  createdAt?: string;
  lastUsed: string | null;
  sortKey?: string;
  /** Absent in lists where the server shows a token once. */
  token?: string;
};

/** What Shardcast keeps beside an application. */
export type ApplicationState = {
  id: number;
  /** Counted to 1000 at most. */
  unread: number;
  readUpTo: number;
  newest: number;
  /** 0 keeps messages for ever. */
  keepDays: number;
  keepNewest: number;
};

export type Client = {
  id: number;
  name: string;
  createdAt?: string;
  lastUsed: string | null;
  elevatedUntil?: string;
  expiresAfterInactivitySeconds?: number;
  expiresAt?: string;
  token?: string;
};

export type User = { id: number; name: string; admin: boolean; createdAt?: string };

export type CurrentUser = User & { clientId?: number; elevatedUntil?: string };

export type Overview = {
  version: string;
  compatibility: string;
  register: boolean;
  oidc: boolean;
  push: { publicKey: string } | null;
  user: CurrentUser | null;
};

/** An object with `event` on a stream with `events=true`. */
export type StreamEvent =
  | { event: 'deleted'; ids?: number[]; appid?: number; upTo?: number }
  | { event: 'replaced'; id: number; ids: number[] }
  | { event: 'read'; upTo: number; appid?: number }
  | { event: 'applications' }
  | { event: 'missed' };
