import { beforeEach, expect, test, vi } from 'vitest';
import type { Message } from '../api/types';

vi.mock('../text', () => ({ t: (_: string, { title }: { title: string }) => title }));
vi.stubGlobal('document', { hidden: false });
vi.useFakeTimers();
const { announce, announcement, dropAnnouncements } = await import('./announcer');

const message = { id: 1, title: 'Full' } as Message;

beforeEach(() => dropAnnouncements());

test('the same announcement is read again', () => {
  const said = new Set<string>();
  for (let time = 0; time < 3; time += 1) {
    const before = announcement.value;
    announce([message]);
    vi.advanceTimersByTime(3000);
    expect(announcement.value).not.toBe(before);
    said.add(announcement.value.trim());
  }
  expect([...said]).toEqual(['Full']);
});

test('nothing of what one user was told or was to be told is left for the next', () => {
  announce([message]);
  vi.advanceTimersByTime(3000);
  announce([message]);
  dropAnnouncements();
  vi.advanceTimersByTime(3000);
  expect(announcement.value).toBe('');
});
