// The screen `live`, for administrators: what the server does now.
import type { ComponentChildren } from 'preact';
import { Spinner } from '../components/Spinner';
import { errorText } from '../state/toasts';
import { shownLanguage, t } from '../text';
import { relativeTime } from '../text/time';
import { Chart, figure } from './live/Chart';
import type { Live as Figures, Sample } from './live/history';
import { useLive } from './live/poll';
import { Nodes, SamplesTable, Shards, UsersWithStreams } from './live/tables';

export default function Live() {
  const { live, history, error } = useLive();
  return (
    <div class="screen">
      <div class="screen-head">
        <h1>{t('live.title')}</h1>
      </div>
      {error.value !== null && <Failed error={error.value} />}
      {live.value === null && error.value === null && <Spinner />}
      {live.value && <Content live={live.value} history={history.value} />}
    </div>
  );
}

function Failed({ error }: { error: unknown }) {
  return (
    <p class="notice error" role="alert">
      {t('live.failed', { text: errorText(error) })}
    </p>
  );
}

function Content({ live, history }: { live: Figures; history: readonly Sample[] }) {
  const { node, time, uptimeSeconds, streams, messages } = live;
  const started = new Date(Date.parse(time) - uptimeSeconds * 1000).toISOString();
  const since = relativeTime(started, shownLanguage.value, Date.parse(time));
  const latest = history.at(-1);
  return (
    <>
      <p class="muted">
        {node ? t('live.intro', { node, time: since }) : t('live.introAlone', { time: since })}
      </p>
      <div class="tiles">
        <Tile label={t('live.streams')} value={figure(streams.total)}>
          <Chart label={t('live.streams')} values={history.map((one) => one.streams)} />
        </Tile>
        <Tile
          label={t('live.stored')}
          value={figure(latest?.stored ?? null)}
          hint={t('live.sinceStart', { value: messages.stored })}
        >
          <Chart label={t('live.stored')} values={history.map((one) => one.stored)} />
        </Tile>
        <Tile
          label={t('live.delivered')}
          value={figure(latest?.delivered ?? null)}
          hint={t('live.sinceStart', { value: messages.delivered })}
        >
          <Chart label={t('live.delivered')} values={history.map((one) => one.delivered)} />
        </Tile>
      </div>
      <State live={live} />
      <div class="halves">
        <UsersWithStreams users={streams.users} />
        <Shards shards={streams.shards} />
      </div>
      {live.nodes.length > 1 && <Nodes nodes={live.nodes} />}
      <SamplesTable history={history} />
    </>
  );
}

type TileProps = { label: string; value: string; hint?: string; children: ComponentChildren };

function Tile({ label, value, hint, children }: TileProps) {
  return (
    <section class="card tile">
      <h2 class="tile-label">{label}</h2>
      <p class="tile-value">{value}</p>
      <p class="field-hint">{hint ?? '\u00a0'}</p>
      {children}
    </section>
  );
}

/** What can be well or not. */
function State({ live: { database, backplane, slowConsumers, messages } }: { live: Figures }) {
  const kinds: Record<string, string> = {
    sqlite: 'SQLite',
    postgres: 'PostgreSQL',
    mysql: 'MariaDB, MySQL',
    redis: 'Redis',
    nats: 'NATS',
  };
  const healths: Record<string, string> = {
    green: t('live.healthGreen'),
    orange: t('live.healthOrange'),
    red: t('live.healthRed'),
  };
  const { connected } = backplane;
  return (
    <section class="card section">
      <h2>{t('live.health')}</h2>
      <dl class="pairs">
        <dt>{t('live.database')}</dt>
        <dd>
          {kinds[database.kind] ?? database.kind}
          <Health kind={database.health} text={healths[database.health] ?? database.health} />
        </dd>
        <dt>{t('live.backplane')}</dt>
        <dd>
          {connected === null ? t('live.backplaneNone') : (kinds[backplane.kind] ?? backplane.kind)}
          {connected !== null && (
            <Health
              kind={connected ? 'green' : 'red'}
              text={connected ? t('live.connected') : t('live.disconnected')}
            />
          )}
        </dd>
        <dt>{t('live.waitingLabel')}</dt>
        <dd>{t('live.waiting', { count: messages.waiting })}</dd>
        <dt>{t('live.slowConsumers')}</dt>
        <dd>
          {figure(slowConsumers)}
          <span class="field-hint">{t('live.slowConsumersHint')}</span>
        </dd>
      </dl>
    </section>
  );
}

function Health({ kind, text }: { kind: string; text: string }) {
  return <span class={`tag health-${kind}`}>{text}</span>;
}
