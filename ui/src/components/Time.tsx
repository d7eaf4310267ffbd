// A time as how far away it is, with the exact time as its tip.
import { now } from '../state/clock';
import { shownLanguage } from '../text';
import { exactTime } from '../text/dates';
import { relativeTime } from '../text/time';

/** `text` puts the time into words, such as `used 3 minutes ago`. */
export function Time({ time, text = (said) => said }: { time: string; text?: (said: string) => string }) {
  const language = shownLanguage.value;
  return (
    <time dateTime={time} onPointerEnter={showExactTime}>
      {text(relativeTime(time, language, now.value))}
    </time>
  );
}

/** Made when the pointer comes: most tips are never seen, and the first one takes a browser long. */
export function showExactTime({ currentTarget }: { currentTarget: HTMLTimeElement }): void {
  currentTarget.title = exactTime(Date.parse(currentTarget.dateTime), shownLanguage.peek());
}
