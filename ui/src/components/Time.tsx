// A time as how far away it is, with the exact time as its tip.
import { shownLanguage } from '../text';
import { exactTime, relativeTime } from '../text/time';

/** `text` puts the time into words, such as `used 3 minutes ago`. */
export function Time({ time, text = (said) => said }: { time: string; text?: (said: string) => string }) {
  const language = shownLanguage.value;
  return (
    <time dateTime={time} title={exactTime(time, language)}>
      {text(relativeTime(time, language))}
    </time>
  );
}
