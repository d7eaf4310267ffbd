import { expect, test } from 'vitest';
import { claimDraft, draft, forgetDraft } from './draft';

test('who logs in again goes on with the draft, and nobody else sees it', () => {
  claimDraft(1);
  draft.message.value = 'half';
  draft.priority.value = '8';
  expect([claimDraft(1), draft.message.value]).toEqual([false, 'half']);
  expect([claimDraft(2), draft.message.value, draft.priority.value]).toEqual([true, '', '']);
});

test('a draft that was forgotten is gone for its writer, too', () => {
  claimDraft(1);
  draft.title.value = 'Secret';
  forgetDraft();
  expect([claimDraft(1), draft.title.value]).toEqual([false, '']);
});
