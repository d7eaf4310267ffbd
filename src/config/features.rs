//! What a build of this program may lack.

/// Says that a build lacks a Cargo feature, and how to get one that has it.
pub(crate) fn not_built(feature: &str) -> String {
    format!(
        "this program was built without the feature `{feature}`: \
         build it with `cargo build --release --features {feature}`"
    )
}
