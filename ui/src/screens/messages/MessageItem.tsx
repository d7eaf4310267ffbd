// One message.
import { useSignal } from '@preact/signals';
import type { Message } from '../../api/types';
import { AppImage } from '../../components/AppImage';
import { IconButton } from '../../components/Button';
import { showExactTime } from '../../components/Time';
import { excerptOf } from '../../messages/excerpt';
import { isUnread } from '../../messages/reading';
import { applications, applicationsById } from '../../state/applications';
import { now } from '../../state/clock';
import { LANGUAGES, shownLanguage, t } from '../../text';
import { ageOf, clockTime } from '../../text/dates';
import { MessageActions } from './MessageActions';
import { MessageBody } from './MessageBody';

/** Messages that are shown whole. */
const expanded = new Set<number>();

export type MessageItemProps = {
  message: Message;
  /** Whether the Tab key stops here. */
  isStop?: boolean;
  isHighlighted?: boolean;
  /** Names the application, where messages of several are listed. */
  withApplication: boolean;
  /** Absent for a preview: what was not sent yet can't be deleted, and is not unread. */
  onDelete?: (message: Message) => void;
};

export function MessageItem({ message, isStop, isHighlighted, withApplication, onDelete }: MessageItemProps) {
  const { id, appid, title, priority } = message;
  const isWhole = useSignal(expanded.has(id));
  const excerpt = excerptOf(message, isWhole.value);
  const showAll = () => {
    // A preview has the id of every other preview.
    if (onDelete) expanded.add(id);
    isWhole.value = true;
  };
  const application = applicationsById.value.get(appid);
  const inside = isStop || !onDelete ? 0 : -1;
  const isNew = onDelete !== undefined && isUnread(message);
  // Whoever sends no title gets the application's name as the title.
  const namesApplication = withApplication && application?.name !== title;
  const name = application?.name ?? (applications.value ? t('messages.unknownApplication') : '');
  const isHigh = priority >= 4;
  const classes = ['message', level(priority), isHighlighted ? 'highlighted' : '', isNew ? 'unread' : ''];
  return (
    <article
      class={classes.join(' ')}
      data-message={id}
      data-first-focus={isStop ? '' : undefined}
      tabIndex={onDelete && (isStop ? 0 : -1)}
      aria-labelledby={`title-${id}`}
    >
      <AppImage application={application} size={36} />
      <div class="message-head">
        <h3
          class={excerpt.isTitleCut ? 'message-title cut' : 'message-title'}
          id={`title-${id}`}
          title={excerpt.isTitleCut ? title : undefined}
          dir="auto"
        >
          {isNew && <span class="unread-dot" role="img" aria-label={t('messages.unread')} />}
          {title}
        </h3>
        <Time date={message.date} />
        {onDelete && (
          <IconButton
            icon="trash"
            label={t('messages.delete')}
            tabIndex={inside}
            onClick={() => onDelete(message)}
          />
        )}
      </div>
      {(namesApplication || isHigh) && (
        <div class="message-facts">
          {/* Until the name comes, the line is there without it: the message must not move. */}
          {namesApplication && (name || !isHigh) && <span>{name || '\u00a0'}</span>}
          {isHigh && <span class="priority">{t('messages.priority', { priority: String(priority) })}</span>}
        </div>
      )}
      <div class="message-body">
        <MessageBody excerpt={excerpt} tabIndex={inside} onShowAll={showAll} />
        <MessageActions message={message} tabIndex={inside} />
      </div>
    </article>
  );
}

/** Levels as Gotify's apps have them: 4 makes a sound, 8 more than that. */
function level(priority: number): string {
  if (priority >= 8) return 'highest';
  if (priority >= 4) return 'high';
  return priority >= 1 ? 'normal' : 'low';
}

function Time({ date }: { date: string }) {
  const time = Date.parse(date);
  if (Number.isNaN(time)) return null;
  const age = ageOf(time, now.value);
  return (
    <time class="message-time" dateTime={date} onPointerEnter={showExactTime}>
      {age && <span class="message-ago">{t(age.key, { count: age.count })}</span>}
      {clockTime(time, LANGUAGES[shownLanguage.value]?.halves)}
    </time>
  );
}
