// The figures that are lists: streams by user and by shard, nodes, and the charts' values.
import { shownLanguage, t } from '../../text';
import { once } from '../../text/format';
import { Bars, figure } from './Chart';
import type { Live, Sample } from './history';

/** So many of the charts' values are in the table. */
const LISTED = 15;

export function UsersWithStreams({ users }: { users: Live['streams']['users'] }) {
  const most = Math.max(1, ...users.map(({ streams }) => streams));
  return (
    <section class="card section">
      <h2>{t('live.users')}</h2>
      {users.length === 0 && <p class="muted">{t('live.noStreams')}</p>}
      {users.length > 0 && (
        <table class="table">
          <thead>
            <tr>
              <th scope="col">{t('live.user')}</th>
              <th scope="col" class="number">
                {t('live.streams')}
              </th>
            </tr>
          </thead>
          <tbody>
            {users.map(({ id, name, streams }) => (
              <tr key={id}>
                <th scope="row">
                  {name}
                  <div class="share" style={{ width: `${(100 * streams) / most}%` }} />
                </th>
                <td class="number">{figure(streams)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

export function Shards({ shards }: { shards: readonly number[] }) {
  const said = t('live.shardsSaid', { least: Math.min(...shards), most: Math.max(...shards) });
  return (
    <section class="card section">
      <h2>{t('live.shards')}</h2>
      <p class="field-hint">{t('live.shardsHint')}</p>
      <Bars label={said} values={shards} />
    </section>
  );
}

export function Nodes({ nodes }: { nodes: Live['nodes'] }) {
  return (
    <section class="card section">
      <h2>{t('live.nodes')}</h2>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{t('live.node')}</th>
            <th scope="col" class="number">
              {t('live.lastHeard')}
            </th>
          </tr>
        </thead>
        <tbody>
          {nodes.map(({ name, self, lastHeardSeconds }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td class="number">
                {self ? t('live.thisNode') : t('live.secondsAgo', { count: lastHeardSeconds })}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const timeFormat = once((language) => new Intl.DateTimeFormat(language, { timeStyle: 'medium' }));

/** The latest values of the charts, for who reads them rather than sees them. */
export function SamplesTable({ history }: { history: readonly Sample[] }) {
  const time = timeFormat(shownLanguage.value);
  return (
    <details class="card section">
      <summary>{t('live.table')}</summary>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{t('live.time')}</th>
            <th scope="col" class="number">
              {t('live.streams')}
            </th>
            <th scope="col" class="number">
              {t('live.storedShort')}
            </th>
            <th scope="col" class="number">
              {t('live.deliveredShort')}
            </th>
          </tr>
        </thead>
        <tbody>
          {history
            .slice(-LISTED)
            .reverse()
            .map((one) => (
              <tr key={one.time}>
                <th scope="row">{time.format(one.time)}</th>
                <td class="number">{figure(one.streams)}</td>
                <td class="number">{figure(one.stored)}</td>
                <td class="number">{figure(one.delivered)}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </details>
  );
}
