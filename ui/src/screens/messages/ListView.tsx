// Shows a list of messages: only the rows that are visible, and some around them, are in the document.
//
// Rows have any height, so they are measured when they are drawn. What the person looks at stays where it is on the
// screen, whatever is added above it or turns out to be of another height: the row at the top is the anchor.
import { useComputed } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo } from 'preact/hooks';
import { Button } from '../../components/Button';
import { Icon } from '../../components/Icon';
import type { MessageList } from '../../messages/list';
import { now } from '../../state/clock';
import { shownLanguage, t } from '../../text';
import { dayName, recentDay, startOfDay } from '../../text/dates';
import { ListController } from './controller';
import { MessageItem } from './MessageItem';

export function ListView({ list, highlighted }: { list: MessageList; highlighted: number }) {
  const controller = useMemo(() => new ListController(list), [list]);
  list.version.value;
  controller.drawn.value;
  const { first, end } = controller.place();
  const stop = controller.stopId(first, end);
  useLayoutEffect(() => controller.settle());
  useEffect(() => controller.attach(), [controller]);
  // Names of days change at midnight alone.
  const today = useComputed(() => startOfDay(now.value)).value;

  const rows = [];
  for (let index = first; index < end; index++) {
    const message = list.rows.at(index)?.message;
    if (!message) continue;
    const day = startOfDay(Date.parse(message.date));
    const above = list.rows.at(index - 1)?.message;
    const isFirstOfDay = !above || startOfDay(Date.parse(above.date)) !== day;
    const isLine = index > 0 && message.id === list.newAbove.value;
    rows.push(
      <li key={message.id} data-row={message.id} aria-setsize={-1} aria-posinset={index + 1}>
        {isLine && (
          <div class="new-line">
            <span>{t('messages.newLine')}</span>
          </div>
        )}
        {isFirstOfDay && !Number.isNaN(day) && <h2 class="day">{nameOf(day, today)}</h2>}
        <MessageItem
          message={message}
          isStop={message.id === stop}
          isHighlighted={message.id === highlighted}
          withApplication={list.filter.appid === undefined}
          onDelete={controller.remove}
        />
      </li>,
    );
  }
  const unseen = list.unseen.value;
  return (
    <>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: keys move between the messages inside */}
      <div
        class="list"
        ref={controller.scroller}
        onScroll={controller.onScroll}
        onKeyDown={controller.onKeyDown}
        tabIndex={-1}
      >
        <div class="list-space" ref={controller.space}>
          <ol
            class="list-rows"
            ref={controller.rowsElement}
            aria-label={t('messages.list')}
            onFocusCapture={controller.onFocus}
          >
            {rows}
          </ol>
        </div>
        {list.hasOlder && <Footer list={list} onRetry={() => controller.loadMore()} />}
      </div>
      {(unseen > 0 || list.hasNewer) && (
        <button type="button" class="pill" onClick={() => controller.toNewest()}>
          <Icon name="up" />
          {unseen > 0 ? t('messages.new', { count: unseen }) : t('messages.toNewest')}
        </button>
      )}
    </>
  );
}

function nameOf(day: number, today: number): string {
  const recent = recentDay(day, today);
  return recent ? t(recent) : dayName(day, today, shownLanguage.value);
}

/** Below the last row, while older messages are loaded. */
function Footer({ list, onRetry }: { list: MessageList; onRetry: () => void }) {
  return (
    <div class="list-footer" role="status">
      {list.olderFailed.value ? (
        <>
          {t('messages.olderFailed')} <Button onClick={onRetry}>{t('button.retry')}</Button>
        </>
      ) : (
        <div class="spinner" />
      )}
    </div>
  );
}
