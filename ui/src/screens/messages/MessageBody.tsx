// The text of a message: plain with links, or Markdown.
import { useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import type { Message } from '../../api/types';
import { loadMarkdown, type MarkdownProps, markdownComponent } from '../../markdown/loader';
import { isMarkdown } from '../../messages/extras';
import { findLinks } from '../../messages/links';
import { t } from '../../text';

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
  const Text = isMarkdown(message) ? markdown() : Plain;
  return (
    <>
      <div class={isCut ? 'message-text cut' : 'message-text'} dir="auto">
        <Text text={text} tabIndex={tabIndex} />
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

/** Until the Markdown component came, the text is shown as it is. */
function markdown(): ComponentType<MarkdownProps> {
  if (!markdownComponent.value) void loadMarkdown();
  return markdownComponent.value ?? Plain;
}

function isLong(text: string): boolean {
  if (text.length > LONG_CHARACTERS) return true;
  return text.split('\n', LONG_LINES + 1).length > LONG_LINES;
}

function Plain({ text, tabIndex }: MarkdownProps) {
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
