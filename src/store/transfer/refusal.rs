//! Values that a database can't hold.

use super::bulk::BulkDialect;
use super::record::Cell;
use super::table::Kind;

/// Says why a database can't hold a value.
pub(super) fn refusal<D: BulkDialect>(kind: Kind, cell: &Cell) -> Option<String> {
    let Cell::Text(text) = cell else { return None };
    if kind == Kind::SortKey {
        return None;
    }
    if !D::HOLDS_NUL && text.contains('\0') {
        return Some(format!("has a NUL, which {} can't hold", D::KIND));
    }
    if let Some(most) = D::SHORT_TEXT_CHARACTERS.filter(|_| kind == Kind::ShortText) {
        let characters = text.chars().count();
        return (characters > most)
            .then(|| format!("has {characters} characters, and {} holds {most} at most", D::KIND));
    }
    let most = D::TEXT_BYTES?;
    let bytes = text.len();
    (bytes > most).then(|| format!("has {bytes} bytes, and {} holds {most} at most", D::KIND))
}
