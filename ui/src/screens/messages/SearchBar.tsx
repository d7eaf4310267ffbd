// The search: words, priority, application and days. It is part of the address, so that "back" ends it.
import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { IconButton } from '../../components/Button';
import { Field, Select } from '../../components/Field';
import { navigate } from '../../router';
import { applications } from '../../state/applications';
import { t } from '../../text';
import { type Search, searchPath } from './filter';

/** The server is asked when so long nothing was typed. */
const TYPING_MS = 300;
const PRIORITIES = ['1', '4', '8'];

export function SearchBar({ search, onClose }: { search: Search; onClose: () => void }) {
  const draft = useSignal(search);
  const form = useRef<HTMLFormElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  // At once: what is typed next is meant for it.
  useLayoutEffect(() => form.current?.querySelector('input')?.focus(), []);
  useEffect(() => () => clearTimeout(timer.current), []);
  // What was changed by something else, such as the navigation, is shown. After an own change the next letter may be
  // here already.
  const path = searchPath(search);
  const known = useRef(path);
  useEffect(() => {
    if (path === known.current) return;
    known.current = path;
    draft.value = search;
  }, [path]);

  const change = (changed: Partial<Search>, wait = 0) => {
    draft.value = { ...draft.value, ...changed };
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      known.current = searchPath(draft.peek());
      navigate(known.current, { replace: true });
    }, wait);
  };
  const close = () => {
    clearTimeout(timer.current);
    onClose();
  };

  const { text, minPriority, appid, from, to } = draft.value;
  const priorities =
    PRIORITIES.includes(minPriority) || !minPriority ? PRIORITIES : [minPriority, ...PRIORITIES];
  return (
    <search class="search">
      <form
        ref={form}
        class="search-form"
        onSubmit={(event) => {
          event.preventDefault();
          change({});
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape') close();
        }}
      >
        <div class="search-text">
          <Field
            label={t('search.text')}
            type="search"
            placeholder={t('search.placeholder')}
            value={text}
            maxLength={500}
            onValue={(value) => change({ text: value }, TYPING_MS)}
          />
        </div>
        <Select
          label={t('search.priority')}
          value={minPriority}
          options={[
            { value: '', label: t('search.anyPriority') },
            ...priorities.map((value) => ({ value, label: t('search.atLeast', { priority: value }) })),
          ]}
          onValue={(value) => change({ minPriority: value })}
        />
        <Select
          label={t('search.application')}
          value={appid ?? ''}
          options={[
            { value: '', label: t('search.anyApplication') },
            ...(applications.value ?? []).map(({ id, name }) => ({ value: id, label: name })),
          ]}
          onValue={(value) => {
            const { appid: _, ...rest } = draft.value;
            draft.value = rest;
            change(value ? { appid: Number(value) } : {});
          }}
        />
        <Field
          label={t('search.from')}
          type="date"
          value={from}
          onValue={(value) => change({ from: value })}
        />
        <Field label={t('search.to')} type="date" value={to} onValue={(value) => change({ to: value })} />
        <IconButton icon="close" label={t('search.close')} onClick={close} />
      </form>
    </search>
  );
}
