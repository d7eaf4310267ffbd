//! How an error names a setting of a connection.

/// The longest name that is shown. The longest of libpq's has 25 bytes.
const NAME_BYTES: usize = 40;

/// Names a setting. What is no name is not shown: where a quote or the beginning of a URL is mistyped, it may be a password.
pub(in crate::store) fn named(name: &str) -> String {
    let is_name = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    if (1..=NAME_BYTES).contains(&name.len()) && name.bytes().all(is_name) {
        format!("setting `{name}`")
    } else {
        "setting whose name is not letters and underscores alone".to_owned()
    }
}
