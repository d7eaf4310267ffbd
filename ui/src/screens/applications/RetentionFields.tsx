// For how long an application's messages are kept.
import type { Signal } from '@preact/signals';
import { Field } from '../../components/Field';
import { wholeNumber } from '../../components/form';
import { t } from '../../text';

/** What the server takes. */
export const MAX_DAYS = 36_500;
export const MAX_NEWEST = 1_000_000_000;

/** The texts of the two fields; empty is for ever. */
export function RetentionFields({ days, newest }: { days: Signal<string>; newest: Signal<string> }) {
  return (
    <fieldset class="stack tight">
      <legend class="label">{t('applications.keep')}</legend>
      <div class="columns">
        <NumberField label={t('applications.keepDays')} text={days} most={MAX_DAYS} />
        <NumberField label={t('applications.keepNewest')} text={newest} most={MAX_NEWEST} />
      </div>
      <p class="field-hint">{t('applications.keepHint')}</p>
    </fieldset>
  );
}

function NumberField({ label, text, most }: { label: string; text: Signal<string>; most: number }) {
  const isWrong = wholeNumber(text.value, 0, 0, most) === null;
  return (
    <Field
      label={label}
      error={isWrong ? t('applications.atLeastNumber', { least: 0, most }) : null}
      value={text.value}
      inputMode="numeric"
      autocomplete="off"
      onValue={(value) => {
        text.value = value;
      }}
    />
  );
}
