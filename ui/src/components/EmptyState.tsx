// What a list shows that has nothing to show.
import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './Icon';

export type EmptyStateProps = { icon: IconName; title: string; children?: ComponentChildren };

export function EmptyState({ icon, title, children }: EmptyStateProps) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <h2>{title}</h2>
      {children}
    </div>
  );
}
