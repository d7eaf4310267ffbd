//! How configurations are made: `HubConfig::default().with_shard_count(64)`.
//!
//! The crate's configurations are `#[non_exhaustive]`, so that a program can't name all of their fields. Each field has
//! a method that takes the configuration and returns it changed.

/// Writes a `with_` method for each field named.
macro_rules! setters {
    ($($setter:ident => $field:ident: $kind:ty),+ $(,)?) => {
        $(
            #[doc = concat!("Returns it with another [`", stringify!($field), "`](Self::", stringify!($field), ").")]
            #[must_use]
            pub fn $setter(mut self, $field: $kind) -> Self {
                self.$field = $field.into();
                self
            }
        )+
    };
}
