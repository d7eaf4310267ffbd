// Turns Markdown into safe elements.
//
// Whoever has an application's token writes this text, so nothing of it may run or reach other hosts by itself: the
// result is sanitized, and pictures become buttons until they are pressed.
import createPurifier from 'dompurify';
import { Marked } from 'marked';
import { t } from '../text';

const marked = new Marked({ gfm: true, async: false });

const ALLOWED = {
  RETURN_DOM_FRAGMENT: true as const,
  ALLOWED_TAGS: [
    ...[
      'a',
      'b',
      'blockquote',
      'br',
      'code',
      'del',
      'details',
      'em',
      'h1',
      'h2',
      'h3',
      'h4',
      'h5',
      'h6',
      'hr',
      'i',
    ],
    ...[
      'img',
      'kbd',
      'li',
      'mark',
      'ol',
      'p',
      'pre',
      's',
      'small',
      'span',
      'strong',
      'sub',
      'summary',
      'sup',
      'u',
    ],
    ...['table', 'tbody', 'td', 'th', 'thead', 'tr', 'ul'],
  ],
  ALLOWED_ATTR: ['align', 'alt', 'colspan', 'href', 'open', 'rowspan', 'src', 'start', 'title'],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|tel:)/i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
};

const purifier = createPurifier(window);

export function renderMarkdown(text: string): DocumentFragment {
  const html = marked.parse(text) as string;
  const fragment = purifier.sanitize(html, ALLOWED);
  for (const link of fragment.querySelectorAll('a')) secure(link);
  for (const image of fragment.querySelectorAll('img')) hide(image);
  for (const table of fragment.querySelectorAll('table')) makeScrollable(table);
  for (const heading of fragment.querySelectorAll('h1,h2,h3,h4,h5,h6')) lower(heading);
  return fragment;
}

function secure(link: HTMLAnchorElement): void {
  link.target = '_blank';
  link.rel = 'noopener noreferrer';
}

/** Puts a button where a picture is, and the picture there when it is pressed. */
function hide(image: HTMLImageElement): void {
  const source = image.getAttribute('src') ?? '';
  if (!URL.canParse(source)) {
    image.replaceWith(image.alt);
    return;
  }
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'picture-button';
  button.dataset.picture = source;
  button.dataset.alt = image.alt;
  button.title = t('messages.pictureHint');
  button.textContent = t('messages.showPicture', { host: new URL(source).host });
  // A button inside of a link would be neither.
  const link = image.closest('a');
  if (!link) {
    image.replaceWith(button);
    return;
  }
  link.after(button);
  image.replaceWith(image.alt || link.href);
}

/** Wide tables scroll by themselves. */
function makeScrollable(table: HTMLTableElement): void {
  const frame = document.createElement('div');
  frame.className = 'table-frame';
  frame.tabIndex = 0;
  table.replaceWith(frame);
  frame.append(table);
}

/** A message's headings are below its title, which is a heading of the third level. */
function lower(heading: Element): void {
  const level = Math.min(6, Number(heading.tagName.slice(1)) + 3);
  const lowered = document.createElement(`h${level}`);
  lowered.append(...heading.childNodes);
  heading.replaceWith(lowered);
}
