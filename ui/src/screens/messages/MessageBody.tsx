// The text of a message: plain with links, or Markdown.
import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Message } from '../../api/types';
import { loadRenderer, renderer } from '../../markdown/loader';
import { isMarkdown } from '../../messages/extras';
import { findLinks } from '../../messages/links';
import { t } from '../../text';
import { showPicture } from './picture';

/** A longer text is shown in part, until the person asks for all of it. */
const LONG_CHARACTERS = 1800;
const LONG_LINES = 24;
/** Not even that much is drawn of it. */
const DRAWN_CHARACTERS = 6000;

/** Messages that are shown whole. */
const expanded = new Set<number>();

export function MessageBody({ message, tabIndex }: { message: Message; tabIndex: number }) {
  const isWhole = useSignal(expanded.has(message.id));
  const isCut = isLong(message.message) && !isWhole.value;
  const text = isCut ? message.message.slice(0, DRAWN_CHARACTERS) : message.message;
  return (
    <>
      <div class={isCut ? 'message-text cut' : 'message-text'} dir="auto">
        {isMarkdown(message) ? (
          <Markdown text={text} tabIndex={tabIndex} />
        ) : (
          <Plain text={text} tabIndex={tabIndex} />
        )}
      </div>
      {isCut && (
        <button
          type="button"
          class="link-button"
          tabIndex={tabIndex}
          onClick={() => {
            expanded.add(message.id);
            isWhole.value = true;
          }}
        >
          {t('messages.showAll')}
        </button>
      )}
    </>
  );
}

function isLong(text: string): boolean {
  if (text.length > LONG_CHARACTERS) return true;
  return text.split('\n', LONG_LINES + 1).length > LONG_LINES;
}

function Plain({ text, tabIndex }: { text: string; tabIndex: number }) {
  return (
    <p class="plain">
      {findLinks(text).map((piece, index) =>
        typeof piece === 'string' ? (
          piece
        ) : (
          <a key={index} href={piece.href} target="_blank" rel="noopener noreferrer" tabIndex={tabIndex}>
            {piece.text}
          </a>
        ),
      )}
    </p>
  );
}

function Markdown({ text, tabIndex }: { text: string; tabIndex: number }) {
  const root = useRef<HTMLDivElement>(null);
  const render = renderer.value;
  if (!render) loadRenderer();
  useLayoutEffect(() => {
    if (render) root.current?.replaceChildren(render(text));
  }, [render, text]);
  // Only the message that the Tab key stops at has more stops inside.
  useLayoutEffect(() => {
    for (const element of root.current?.querySelectorAll<HTMLElement>('a, button, summary, .table-frame') ??
      []) {
      element.tabIndex = tabIndex;
    }
  }, [render, text, tabIndex]);
  if (!render) return <p class="plain">{text}</p>;
  // biome-ignore lint/a11y/noStaticElementInteractions: the buttons inside are the controls
  // biome-ignore lint/a11y/useKeyWithClickEvents: a key on a button is a click
  return <div key="markdown" ref={root} class="markdown" onClick={onClick} />;
}

function onClick(event: Event): void {
  const button = event.target instanceof Element ? event.target.closest('button') : null;
  const source = button?.dataset.picture;
  if (button && source) showPicture(button, source, button.dataset.alt ?? '');
}
