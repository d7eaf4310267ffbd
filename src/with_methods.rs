//! Methods that change one field of a configuration and return it.
//!
//! Configurations are `#[non_exhaustive]`, so that a new field breaks nobody; other crates can't write them out, and
//! would have to assign field by field.

/// Gives a type a method per field: `with_port(port: u16)` returns it with that port.
macro_rules! with_methods {
    ($Config:ty { $($(#[$attribute:meta])* $method:ident($field:ident: $value:ty)),+ $(,)? }) => {
        impl $Config {
            $(
                $(#[$attribute])*
                #[doc = concat!("Returns it with this value of [`", stringify!($field), "`](Self::", stringify!($field), ").")]
                #[must_use]
                pub fn $method(mut self, $field: $value) -> Self {
                    self.$field = $field.into();
                    self
                }
            )+
        }
    };
}
