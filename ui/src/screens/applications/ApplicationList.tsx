// The list of applications, whose rows can be moved.
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type { Application } from '../../api/types';
import { applicationsById } from '../../state/applications';
import { type Key, t } from '../../text';
import { ApplicationRow } from './ApplicationRow';
import { changePicture, moveApplication, type Shown } from './actions';
import { type Moving, type Step, useReorder } from './reorder';

const SAID: Record<Step, Key> = {
  begun: 'applications.moving',
  moved: 'applications.movedTo',
  ended: 'applications.moved',
  undone: 'applications.moveUndone',
};

export type ApplicationListProps = { list: readonly Application[]; show: (next: Shown) => void };

export function ApplicationList({ list, show }: ApplicationListProps) {
  const said = useSignal('');
  const file = useRef<HTMLInputElement>(null);
  const pictureOf = useRef<Application | null>(null);

  const say = (step: Step, { id, to }: Moving) => {
    const name = applicationsById.value.get(id)?.name ?? '';
    said.value = t(SAID[step], { name, place: to + 1, count: list.length });
  };
  const reorder = useReorder(
    list.map(({ id }) => id),
    say,
    (from, to) => void moveApplication(from, to),
  );
  // A server before Gotify 2.9 knows no order.
  const canMove = list.length > 1 && list.every(({ sortKey }) => sortKey);

  return (
    <>
      <ul class="card items" aria-label={t('applications.list')}>
        {reorder.order.map((id) => {
          const application = applicationsById.value.get(id);
          if (!application) return null;
          return (
            <ApplicationRow
              key={id}
              application={application}
              isMoving={reorder.moving.value?.id === id}
              handle={canMove ? reorder.handle(id) : null}
              show={show}
              pickPicture={() => {
                pictureOf.current = application;
                file.current?.click();
              }}
            />
          );
        })}
      </ul>
      <div class="visually-hidden" role="status" aria-live="assertive">
        {said.value}
      </div>
      <input
        ref={file}
        hidden
        type="file"
        accept=".png,.jpg,.jpeg,.gif"
        aria-label={t('applications.pictureChange')}
        onChange={({ currentTarget }) => {
          const [picked] = currentTarget.files ?? [];
          currentTarget.value = '';
          if (picked && pictureOf.current) void changePicture(pictureOf.current, picked);
        }}
      />
    </>
  );
}
