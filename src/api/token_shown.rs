//! Where a token is shown after it was made.
//!
//! Gotify 2 shows tokens wherever the thing is. Gotify 3 shows one when it is made, and in the answer to a change
//! what it has stored: of its own tokens that is the public form, which opens nothing, but of an older one it is the
//! token itself. That last one is not shown here.

use crate::auth::FORM_OF_GOTIFY_3;
use crate::model::Compatibility;

/// Blanks a token in a list, where it is not to be seen.
pub(super) fn listed(compatibility: Compatibility, token: &mut String) {
    if compatibility == Compatibility::V3 {
        token.clear();
    }
}

/// Blanks a token in the answer to a change, where it is not to be seen.
pub(super) fn changed(compatibility: Compatibility, token: &mut String) {
    if compatibility == Compatibility::V3 && !token.starts_with(FORM_OF_GOTIFY_3) {
        token.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gotify_3_hides_what_opens_something() {
        let left = |hide: fn(Compatibility, &mut String), compatibility, token: &str| {
            let mut token = token.to_owned();
            hide(compatibility, &mut token);
            token
        };
        for token in ["Cabc", "gtfyc.public"] {
            assert_eq!(left(listed, Compatibility::V2, token), token);
            assert_eq!(left(changed, Compatibility::V2, token), token);
            assert_eq!(left(listed, Compatibility::V3, token), "");
        }
        assert_eq!(left(changed, Compatibility::V3, "Cabc"), "");
        assert_eq!(left(changed, Compatibility::V3, "gtfyc.public"), "gtfyc.public");
    }
}
