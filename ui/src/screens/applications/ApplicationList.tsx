// The list of applications, whose rows can be moved.
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type { Application } from '../../api/types';
import { Items } from '../../components/Items';
import { applicationsById } from '../../state/applications';
import { type Key, t } from '../../text';
import { ApplicationRow } from './ApplicationRow';
import { changePicture, moveApplication, type Shown } from './actions';
import { PictureInput } from './PictureInput';
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
    (id, to) => void moveApplication(id, to),
  );

  return (
    <>
      <Items label={t('applications.list')} count={list.length}>
        {reorder.order.map((id) => {
          const application = applicationsById.value.get(id);
          if (!application) return null;
          return (
            <ApplicationRow
              key={id}
              application={application}
              isMoving={reorder.moving.value?.id === id}
              handle={list.length > 1 ? reorder.handle(id) : null}
              show={show}
              pickPicture={() => {
                pictureOf.current = application;
                file.current?.click();
              }}
            />
          );
        })}
      </Items>
      <div class="visually-hidden" role="status" aria-live="assertive">
        {said.value}
      </div>
      <PictureInput
        input={file}
        onPick={(picked) => {
          if (pictureOf.current) void changePicture(pictureOf.current, picked);
        }}
      />
    </>
  );
}
