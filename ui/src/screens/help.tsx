// The sheet of keys.
import { Fragment } from 'preact';
import { messagesPath } from '../router';
import { user } from '../state/session';
import { type Key, t } from '../text';

/** Keys pressed one after the other; the lists are alternatives. */
type Row = { keys: readonly (readonly string[])[]; text: Key };

type Group = { title: Key; rows: readonly Row[] };

const FOR_ADMINISTRATORS: readonly Row[] = [
  { keys: [['g', 'u']], text: 'help.users' },
  { keys: [['g', 'l']], text: 'help.live' },
];

function groups(isAdministrator: boolean): readonly Group[] {
  const enter = t('help.keyEnter');
  const esc = t('help.keyEscape');
  return [
    {
      title: 'help.everywhere',
      rows: [
        { keys: [['?']], text: 'help.open' },
        { keys: [['/']], text: 'help.search' },
        { keys: [['c']], text: 'help.send' },
        { keys: [[t('help.keyControlEnter')]], text: 'help.submit' },
        { keys: [[esc]], text: 'help.close' },
      ],
    },
    {
      title: 'help.go',
      rows: [
        { keys: [['g', 'm']], text: 'help.messages' },
        { keys: [['g', 'a']], text: 'help.applications' },
        { keys: [['g', 'c']], text: 'help.clients' },
        ...(isAdministrator ? FOR_ADMINISTRATORS : []),
        { keys: [['g', 's']], text: 'help.account' },
      ],
    },
    {
      title: 'help.inMessages',
      rows: [
        { keys: [['j'], ['↓']], text: 'help.next' },
        { keys: [['k'], ['↑']], text: 'help.previous' },
        { keys: [['e'], [t('help.keyDelete')]], text: 'help.delete' },
        { keys: [['u']], text: 'help.undo' },
        { keys: [['r']], text: 'help.read' },
      ],
    },
    {
      title: 'help.inApplications',
      rows: [
        { keys: [[enter]], text: 'help.startMove' },
        { keys: [['↑'], ['↓']], text: 'help.moveUp' },
        { keys: [[esc]], text: 'help.undoMove' },
      ],
    },
  ];
}

export default function Help() {
  return (
    <div class="screen narrow">
      <h1>{t('help.title')}</h1>
      <HelpContent />
      <p>
        <a href={`#${messagesPath()}`}>{t('notFound.back')}</a>
      </p>
    </div>
  );
}

/** The lists of keys, for the screen and for the sheet over another screen. */
export function HelpContent() {
  return (
    <>
      <div class="halves">
        {groups(user.value?.admin ?? false).map(({ title, rows }) => (
          <section key={title} class="keys">
            <h2>{t(title)}</h2>
            <dl>
              {rows.map(({ keys, text }) => (
                <div key={text}>
                  <dt>{t(text)}</dt>
                  <dd>
                    <Keys alternatives={keys} />
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <p class="field-hint">{t('help.off')}</p>
      <p class="field-hint">{t('help.whenRead')}</p>
    </>
  );
}

function Keys({ alternatives }: { alternatives: Row['keys'] }) {
  return (
    <>
      {alternatives.map((keys, index) => (
        <Fragment key={keys.join(' ')}>
          {index > 0 && <span class="muted"> {t('help.or')} </span>}
          {keys.map((key, place) => (
            <Fragment key={key}>
              {place > 0 && <span class="visually-hidden"> {t('help.then')} </span>}
              <kbd>{key}</kbd>
            </Fragment>
          ))}
        </Fragment>
      ))}
    </>
  );
}
