// The screen `messages`: the messages of all applications, of one, or those that a search has found.
import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo } from 'preact/hooks';
import { isSearch } from '../api/messages';
import { Button } from '../components/Button';
import { EmptyState } from '../components/EmptyState';
import { Spinner } from '../components/Spinner';
import { announcement, say } from '../messages/announcer';
import { wantsSearch } from '../messages/commands';
import type { MessageList } from '../messages/list';
import { allMessages, openList } from '../messages/lists';
import { drawNewLine } from '../messages/reading';
import { keepLoading } from '../messages/retry';
import { messagesPath, navigate, route } from '../router';
import { applicationStates, applications, applicationsById } from '../state/applications';
import { errorText } from '../state/toasts';
import { t } from '../text';
import { problemOf, readSearch, searchPath, toFilter } from './messages/filter';
import { ListView } from './messages/ListView';
import { SearchBar } from './messages/SearchBar';
import { Toolbar } from './messages/Toolbar';

export function Messages() {
  const search = readSearch(route.value);
  const path = searchPath(search);
  const around = Number(route.value.query.get('m')) || null;
  const problem = problemOf(search);
  const list = useMemo(
    () => (problem ? openList({}, null) : openList(toFilter(search), around)),
    [path, around, allMessages.value],
  );
  const isSearching = useSignal(false);
  const showsSearch = isSearching.value || problem !== null || isSearch(list.filter);

  const endSearch = () => {
    isSearching.value = false;
    navigate(messagesPath(search.appid), { replace: true });
  };
  const isSearchWanted = wantsSearch.value;
  useLayoutEffect(() => {
    if (!isSearchWanted) return;
    isSearching.value = true;
    // One that is drawn now takes the focus by itself.
    document.querySelector<HTMLElement>('.search input')?.focus();
  }, [isSearchWanted]);

  return (
    <div class="messages">
      <div class="messages-head">
        <h1>{titleOf(search.appid)}</h1>
      </div>
      {showsSearch && <SearchBar search={search} onClose={endSearch} />}
      {problem ? (
        <div class="list" role="alert">
          <EmptyState icon="search" title={t(problem)} />
        </div>
      ) : (
        <>
          <Content key={`${path} ${around}`} list={list} highlighted={around ?? 0} />
          <Toolbar
            list={list}
            isSearching={showsSearch}
            onSearch={() => {
              if (showsSearch) endSearch();
              else isSearching.value = true;
            }}
          />
        </>
      )}
      <div class="visually-hidden" role="status" aria-live="polite">
        {announcement.value}
      </div>
    </div>
  );
}

function titleOf(appid: number | undefined): string {
  if (appid === undefined) return t('messages.title');
  const known = applicationsById.value.get(appid)?.name;
  return known ?? (applications.value ? t('messages.unknownApplication') : '');
}

function Content({ list, highlighted }: { list: MessageList; highlighted: number }) {
  const status = list.status.value;
  const hasStates = applicationStates.value !== null;
  list.version.value;
  useEffect(() => {
    if (status === 'ready' && hasStates) drawNewLine(list);
  }, [status, hasStates]);
  useEffect(() => {
    if (status === 'ready' && isSearch(list.filter)) {
      const { length } = list.rows;
      say(t(list.hasOlder ? 'search.foundMore' : 'search.found', { count: length }));
    }
  }, [status]);
  // That of all messages is loaded again whatever screen is shown.
  useEffect(() => (list === allMessages.peek() ? undefined : keepLoading(list)), [list]);
  // What comes while nobody looks is new for who comes back.
  useEffect(() => {
    const draw = () => document.hidden && drawNewLine(list);
    document.addEventListener('visibilitychange', draw);
    return () => document.removeEventListener('visibilitychange', draw);
  }, [list]);

  if (list.rows.length > 0) return <ListView list={list} highlighted={highlighted} />;
  if (status === 'loading' || list.isIncomplete) return <Spinner />;
  return <div class="list">{status === 'failed' ? <Failed list={list} /> : <Empty list={list} />}</div>;
}

function Failed({ list }: { list: MessageList }) {
  return (
    <EmptyState icon="inbox" title={t('messages.failed')}>
      <p>{errorText(list.error.value)}</p>
      <Button onClick={() => void list.load()}>{t('button.retry')}</Button>
    </EmptyState>
  );
}

function Empty({ list }: { list: MessageList }) {
  if (isSearch(list.filter)) {
    return (
      <EmptyState icon="search" title={t('messages.noResults')}>
        <p class="muted">{t('messages.noResultsText')}</p>
      </EmptyState>
    );
  }
  const hasApplications = applications.value?.length !== 0;
  return (
    <EmptyState icon="inbox" title={t('messages.empty')}>
      <p class="muted">{t(hasApplications ? 'messages.emptyText' : 'messages.emptyNoApplication')}</p>
      {!hasApplications && (
        <a class="button primary" href="#/applications?create">
          {t('messages.createApplication')}
        </a>
      )}
    </EmptyState>
  );
}
