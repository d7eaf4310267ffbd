// What the live screen remembers of a server's answers, and the rates that follow from it.

/** The answer of `GET /shardcast/live`. Messages and slow consumers are counted since the server started. */
export type Live = {
  readonly node: string;
  readonly uptimeSeconds: number;
  readonly time: string;
  readonly streams: {
    readonly total: number;
    readonly shards: readonly number[];
    readonly users: readonly { readonly id: number; readonly name: string; readonly streams: number }[];
  };
  readonly messages: { readonly stored: number; readonly delivered: number; readonly waiting: number };
  readonly slowConsumers: number;
  readonly database: { readonly kind: string; readonly health: string };
  readonly backplane: { readonly kind: string; readonly connected: boolean | null };
  readonly nodes: readonly {
    readonly name: string;
    readonly self: boolean;
    readonly lastHeardSeconds: number;
  }[];
};

/** One moment. Rates are per second, and null where there is nothing to compare with. */
export type Sample = {
  readonly time: number;
  readonly streams: number;
  readonly stored: number | null;
  readonly delivered: number | null;
};

/** How many samples are kept: five minutes at one sample per two seconds. */
export const MAX_SAMPLES = 150;

/** Returns the sample that two answers make. Without a first answer, or after a restart between them, it has no rates. */
export function sample(previous: Live | null, current: Live): Sample {
  const time = Date.parse(current.time);
  const seconds = previous === null ? 0 : (time - Date.parse(previous.time)) / 1000;
  const comparable =
    previous !== null &&
    seconds > 0 &&
    previous.node === current.node &&
    previous.uptimeSeconds <= current.uptimeSeconds;
  const rate = (count: (live: Live) => number) =>
    comparable ? Math.max(0, (count(current) - count(previous)) / seconds) : null;
  return {
    time,
    streams: current.streams.total,
    stored: rate((live) => live.messages.stored),
    delivered: rate((live) => live.messages.delivered),
  };
}

/** Returns the history with one more sample, and without the oldest if it is full. */
export function remembered(history: readonly Sample[], latest: Sample): readonly Sample[] {
  return [...history, latest].slice(-MAX_SAMPLES);
}
