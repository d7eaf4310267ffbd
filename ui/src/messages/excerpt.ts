// How much of a message is drawn at first, and how.
import type { Message } from '../api/types';
import { isMarkdown } from './extras';

/** A longer text is shown in part, until the person asks for all of it. */
const LONG_CHARACTERS = 1800;
const LONG_LINES = 24;
/** Not even that much is drawn of it. */
const DRAWN_CHARACTERS = 6000;
/** A longer title is cut to a few lines. */
const LONG_TITLE_CHARACTERS = 160;
/** Drawing more Markdown than that would stop the page for a while. */
const MOST_MARKDOWN_CHARACTERS = 50_000;

export type Excerpt = {
  text: string;
  isMarkdown: boolean;
  /** Whether the text is Markdown, but too long to be drawn as such. */
  isTooLong: boolean;
  isTextCut: boolean;
  isTitleCut: boolean;
};

/** Returns what is drawn of a message, in part or whole. */
export function excerptOf(message: Message, isWhole: boolean): Excerpt {
  const isTextCut = !isWhole && isLong(message.message);
  const text = isTextCut ? message.message.slice(0, DRAWN_CHARACTERS) : message.message;
  const wantsMarkdown = isMarkdown(message);
  const isTooLong = wantsMarkdown && text.length > MOST_MARKDOWN_CHARACTERS;
  return {
    text,
    isMarkdown: wantsMarkdown && !isTooLong,
    isTooLong,
    isTextCut,
    isTitleCut: !isWhole && message.title.length > LONG_TITLE_CHARACTERS,
  };
}

function isLong(text: string): boolean {
  if (text.length > LONG_CHARACTERS) return true;
  return text.split('\n', LONG_LINES + 1).length > LONG_LINES;
}
