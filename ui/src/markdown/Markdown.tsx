// Draws Markdown.
//
// Whoever has an application's token writes this text, so nothing of it may run, or reach another host by itself. No
// HTML is ever made of it: marked splits the text into tokens, and each kind of token has its element here. HTML in the
// text is shown as text, as Gotify's page does. (A sanitizer of HTML has to parse it first, and already at that a
// browser reports event handlers to the policy.)
import { type MarkedToken, marked, type Token, type Tokens } from 'marked';
import type { ComponentChildren } from 'preact';
import { RemotePicture } from '../components/RemotePicture';
import { safeUrl } from '../messages/extras';
import { decodeEntities } from './entities';
import type { MarkdownProps } from './loader';

/** Deeper text is shown as it was written. */
const MOST_DEPTH = 40;

type Place = { tabIndex: number; depth: number; inLink: boolean };

export function Markdown({ text, tabIndex }: MarkdownProps) {
  let tokens: Token[];
  try {
    tokens = marked.lexer(text);
  } catch {
    return <p class="plain">{text}</p>;
  }
  return <div class="markdown">{draw(tokens, { tabIndex, depth: 0, inLink: false })}</div>;
}

function draw(tokens: Token[] | undefined, place: Place): ComponentChildren {
  return tokens?.map((token) => drawOne(token as MarkedToken, place));
}

function drawOne(token: MarkedToken, place: Place): ComponentChildren {
  if (place.depth > MOST_DEPTH) return token.raw;
  const inner = { ...place, depth: place.depth + 1 };
  switch (token.type) {
    case 'paragraph':
      return <p>{draw(token.tokens, inner)}</p>;
    case 'text':
      return token.tokens ? draw(token.tokens, inner) : decodeEntities(token.text);
    case 'heading':
      return <Heading depth={token.depth}>{draw(token.tokens, inner)}</Heading>;
    case 'strong':
      return <strong>{draw(token.tokens, inner)}</strong>;
    case 'em':
      return <em>{draw(token.tokens, inner)}</em>;
    case 'del':
      return <del>{draw(token.tokens, inner)}</del>;
    case 'codespan':
      return <code>{token.text}</code>;
    case 'code':
      return (
        <pre>
          <code>{token.text}</code>
        </pre>
      );
    case 'blockquote':
      return <blockquote>{draw(token.tokens, inner)}</blockquote>;
    case 'list':
      return drawList(token, inner);
    case 'checkbox':
      return token.checked ? '☑ ' : '☐ ';
    case 'table':
      return drawTable(token, inner);
    case 'link':
      return drawLink(token, inner);
    case 'image':
      return drawImage(token, place);
    case 'br':
      return <br />;
    case 'hr':
      return <hr />;
    case 'html':
      return token.block ? <p class="plain">{token.text}</p> : token.text;
    case 'escape':
      return token.text;
    case 'def':
    case 'space':
      return null;
    default:
      return token.raw;
  }
}

/** A message's headings are below its title, which is one of the third level. */
function Heading({ depth, children }: { depth: number; children: ComponentChildren }) {
  if (depth === 1) return <h4>{children}</h4>;
  return depth === 2 ? <h5>{children}</h5> : <h6>{children}</h6>;
}

function drawList({ ordered, start, items }: Tokens.List, place: Place): ComponentChildren {
  const drawn = items.map(({ task, tokens }) => <li class={task ? 'task' : ''}>{draw(tokens, place)}</li>);
  return ordered ? <ol start={Number(start)}>{drawn}</ol> : <ul>{drawn}</ul>;
}

function drawTable({ header, rows }: Tokens.Table, place: Place): ComponentChildren {
  return (
    <div class="table-frame" tabIndex={place.tabIndex}>
      <table>
        <thead>
          <tr>
            {header.map(({ tokens, align }) => (
              <th class={align ?? ''}>{draw(tokens, place)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((cells) => (
            <tr>
              {cells.map(({ tokens, align }) => (
                <td class={align ?? ''}>{draw(tokens, place)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function drawLink({ href, title, tokens }: Tokens.Link, place: Place): ComponentChildren {
  const url = safeUrl(decodeEntities(href), ['http:', 'https:', 'mailto:', 'tel:']);
  const content = draw(tokens, { ...place, inLink: true });
  if (!url || place.inLink) return content;
  return (
    <a
      href={url}
      title={title ? decodeEntities(title) : undefined}
      target="_blank"
      rel="noopener noreferrer"
      tabIndex={place.tabIndex}
    >
      {content}
    </a>
  );
}

function drawImage({ href, text }: Tokens.Image, { tabIndex, inLink }: Place): ComponentChildren {
  const alt = decodeEntities(text);
  const url = safeUrl(decodeEntities(href), ['http:', 'https:']);
  // A button inside of a link would be neither.
  if (!url || inLink) return alt || href;
  return <RemotePicture url={url} alt={alt} tabIndex={tabIndex} />;
}
