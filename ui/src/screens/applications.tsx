// The screen `applications`: what sends messages, in the order that the user gives them.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Button } from '../components/Button';
import { EmptyState } from '../components/EmptyState';
import { Spinner } from '../components/Spinner';
import { navigate, route } from '../router';
import {
  applications,
  applicationsById,
  reloadApplicationStates,
  reloadApplications,
} from '../state/applications';
import { toastError } from '../state/toasts';
import { t } from '../text';
import { ApplicationDialog } from './applications/ApplicationDialog';
import { ApplicationList } from './applications/ApplicationList';
import type { Shown } from './applications/actions';
import { TokenDialog } from './applications/TokenDialog';

export default function Applications() {
  const shown = useSignal<Shown | null>(null);
  const show = (next: Shown | null) => {
    shown.value = next;
  };
  useEffect(() => {
    if (route.peek().query.has('create')) {
      show({ dialog: 'create' });
      navigate('/applications', { replace: true });
    }
    reloadApplications().catch(toastError);
    reloadApplicationStates().catch(toastError);
  }, []);

  const list = applications.value;
  return (
    <div class="screen">
      <div class="screen-head">
        <h1>{t('applications.title')}</h1>
        <Button kind="primary" icon="plus" onClick={() => show({ dialog: 'create' })}>
          {t('applications.create')}
        </Button>
      </div>
      {list === null && <Spinner />}
      {list?.length === 0 && (
        <EmptyState icon="applications" title={t('applications.empty')}>
          <p class="muted">{t('applications.emptyHint')}</p>
        </EmptyState>
      )}
      {list !== null && list.length > 0 && <ApplicationList list={list} show={show} />}
      <ShownDialog shown={shown.value} show={show} />
    </div>
  );
}

function ShownDialog({ shown, show }: { shown: Shown | null; show: (next: Shown | null) => void }) {
  if (!shown) return null;
  if (shown.dialog === 'create') return <ApplicationDialog show={show} />;
  const application = applicationsById.value.get(shown.id);
  // It may have been deleted elsewhere.
  if (!application) return null;
  if (shown.dialog === 'edit')
    return <ApplicationDialog key={shown.id} application={application} show={show} />;
  return <TokenDialog application={application} token={shown.token} show={show} />;
}
