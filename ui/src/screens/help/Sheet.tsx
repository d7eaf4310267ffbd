// The sheet of keys, over whatever is shown.
import { Dialog } from '../../components/Dialog';
import { closeDialog } from '../../state/dialogs';
import { t } from '../../text';
import { HelpContent } from '../help';

export default function Sheet() {
  return (
    <Dialog title={t('help.title')} onClose={closeDialog} large>
      <HelpContent />
    </Dialog>
  );
}
