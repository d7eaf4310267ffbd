// The text of a message: plain with links, or Markdown.
import type { ComponentType } from 'preact';
import { loadMarkdown, type MarkdownProps, markdownComponent } from '../../markdown/loader';
import type { Excerpt } from '../../messages/excerpt';
import { findLinks } from '../../messages/links';
import { t } from '../../text';

type MessageBodyProps = { excerpt: Excerpt; tabIndex: number; onShowAll: () => void };

export function MessageBody({ excerpt, tabIndex, onShowAll }: MessageBodyProps) {
  const { text, isMarkdown, isTooLong, isTextCut, isTitleCut } = excerpt;
  const Text = isMarkdown ? markdown() : Plain;
  return (
    <>
      {isTooLong && <p class="muted">{t('messages.tooLongForMarkdown')}</p>}
      <div class={isTextCut ? 'message-text cut' : 'message-text'} dir="auto">
        <Text text={text} tabIndex={tabIndex} />
      </div>
      {(isTextCut || isTitleCut) && (
        <button type="button" class="link-button" tabIndex={tabIndex} onClick={onShowAll}>
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
