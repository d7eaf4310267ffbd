// The picture of an application; where it has none, the first letter of its name on a color of its own.
import { DEFAULT_PICTURE } from '../api/applications';
import type { Application } from '../api/types';

const COLORS = 8;

/** Decoration: the application's name is beside it. `size` is in pixels. */
export function AppImage({
  application,
  size,
}: {
  application: Application | undefined;
  size: 20 | 36 | 40;
}) {
  const classes = `app-image size-${size}`;
  if (application && application.image !== DEFAULT_PICTURE) {
    return <img class={classes} src={application.image} alt="" width={size} height={size} />;
  }
  return (
    <span class={`${classes} letter color-${(application?.id ?? 0) % COLORS}`} aria-hidden="true">
      {firstLetter(application?.name ?? '')}
    </span>
  );
}

function firstLetter(name: string): string {
  const [letter = '?'] = name.trim();
  return letter.toLocaleUpperCase();
}
