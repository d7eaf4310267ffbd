// For how long an application's messages are kept.
import { Field } from '../../components/Field';
import { wholeNumber } from '../../components/form';
import { t } from '../../text';

/** What the server takes. */
export const MAX_DAYS = 36_500;
export const MAX_NEWEST = 1_000_000_000;

export type RetentionFieldsProps = {
  /** The texts of the two fields; empty is for ever. */
  days: string;
  newest: string;
  onDays: (text: string) => void;
  onNewest: (text: string) => void;
};

export function RetentionFields({ days, newest, onDays, onNewest }: RetentionFieldsProps) {
  return (
    <fieldset class="stack tight">
      <legend class="label">{t('applications.keep')}</legend>
      <div class="columns">
        <NumberField label={t('applications.keepDays')} value={days} onValue={onDays} most={MAX_DAYS} />
        <NumberField
          label={t('applications.keepNewest')}
          value={newest}
          onValue={onNewest}
          most={MAX_NEWEST}
        />
      </div>
      <p class="field-hint">{t('applications.keepHint')}</p>
    </fieldset>
  );
}

type NumberFieldProps = { label: string; value: string; onValue: (text: string) => void; most: number };

function NumberField({ most, ...field }: NumberFieldProps) {
  const isWrong = wholeNumber(field.value, 0, 0, most) === null;
  return (
    <Field
      {...field}
      error={isWrong ? t('applications.atLeastNumber', { least: 0, most }) : null}
      inputMode="numeric"
      autocomplete="off"
    />
  );
}
