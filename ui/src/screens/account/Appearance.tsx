// Language, theme, and the keys.
import { Select } from '../../components/Field';
import { bound } from '../../components/form';
import { Switch } from '../../components/Switch';
import { language, shortcuts, type Theme, theme } from '../../state/settings';
import { browserLanguage, LANGUAGES, t } from '../../text';

export function Appearance() {
  const known = Object.entries(LANGUAGES).map(([value, { name }]) => ({ value, label: name }));
  const ofBrowser = LANGUAGES[browserLanguage()]?.name ?? '';
  return (
    <section class="card section">
      <h2>{t('account.appearance')}</h2>
      <div class="columns">
        <Select
          label={t('account.language')}
          {...bound(language)}
          options={[{ value: '', label: t('account.languageSystem', { name: ofBrowser }) }, ...known]}
        />
        <Select
          label={t('account.theme')}
          value={theme.value}
          options={[
            { value: 'system', label: t('account.themeSystem') },
            { value: 'light', label: t('account.themeLight') },
            { value: 'dark', label: t('account.themeDark') },
          ]}
          onValue={(value) => {
            theme.value = value as Theme;
          }}
        />
      </div>
      <Switch
        label={t('account.shortcuts')}
        hint={t('account.shortcutsHint')}
        checked={shortcuts.value}
        onChecked={(checked) => {
          shortcuts.value = checked;
        }}
      />
    </section>
  );
}
