//! The declaration of configuration keys: one line per key, from which everything else follows.
//!
//! [`section!`] takes the keys of one section, each with its documentation, name, type and default, and where the
//! type says too little, the [`Shape`] of its values. It makes the section's struct, the struct's defaults, and a
//! [`Declaration`]. From the declaration follow the keys of the file ([`file`](super::file)), the variables
//! ([`environment`](super::environment)), the check of each value ([`Shape::read`]) and `configs/default.yml`
//! ([`template`](super::template)).
//!
//! A field's default is written as [`Setting::Default`]: `45` for a number, `"info"` for text, `["a"]` for a list.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::Connection;
use super::shape::Shape;

/// A section of the configuration: its own keys, then the sections in it.
#[derive(Debug)]
pub(super) struct Declaration {
    /// Its place with a dot at the end, as in `server.stream.`; empty for the whole file.
    pub(super) prefix: &'static str,
    /// Its documentation, one item per line.
    pub(super) about: &'static [&'static str],
    pub(super) keys: &'static [Key],
    pub(super) sections: &'static [&'static Declaration],
}

/// A key of the configuration.
#[derive(Debug)]
pub(super) struct Key {
    /// Its place, as in `server.port`.
    pub(super) path: &'static str,
    /// Its documentation, one item per line.
    pub(super) about: &'static [&'static str],
    /// What its value must look like.
    pub(super) shape: Shape,
    /// Whether its value is kept out of messages.
    pub(super) secret: bool,
}

impl Declaration {
    /// Lists the keys of this section and of those in it, in the order of `configs/default.yml`.
    pub(super) fn all_keys(&'static self) -> Vec<&'static Key> {
        let deeper = self.sections.iter().flat_map(|section| section.all_keys());
        self.keys.iter().chain(deeper).collect()
    }

    /// Returns the key of this name in this section.
    pub(super) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name() == name)
    }

    /// Returns the section of this name in this section.
    pub(super) fn section(&self, name: &str) -> Option<&'static Declaration> {
        self.sections.iter().copied().find(|section| section.name() == name)
    }

    /// Returns the last part of its place: `stream` of `server.stream.`.
    pub(super) fn name(&self) -> &'static str {
        last_name(self.prefix.trim_end_matches('.'))
    }
}

impl Key {
    /// Returns the last part of its place: `port` of `server.port`.
    pub(super) fn name(&self) -> &'static str {
        last_name(self.path)
    }
}

fn last_name(path: &'static str) -> &'static str {
    path.rsplit('.').next().unwrap_or(path)
}

/// A struct that [`section!`] made.
pub(super) trait Section {
    const DECLARATION: Declaration;
}

/// A type that a key may have.
pub(super) trait Setting {
    /// How a default of this type is written in a declaration.
    type Default: ?Sized + 'static;

    /// What values look like, unless the declaration says more.
    const SHAPE: Shape;

    /// Whether values may be secret.
    const SECRET: bool = false;

    fn from_default(default: &Self::Default) -> Self;
}

macro_rules! settings {
    ($($type:ty: $shape:expr;)*) => {$(
        impl Setting for $type {
            type Default = Self;
            const SHAPE: Shape = $shape;
            fn from_default(default: &Self) -> Self {
                *default
            }
        }
    )*};
}

settings! {
    bool: Shape::Boolean;
    u16: Shape::Integer(0..=65_535);
    i32: Shape::Integer(-2_147_483_648..=2_147_483_647);
    u32: Shape::Integer(0..=4_294_967_295);
    u64: Shape::Integer(0..=i64::MAX);
    usize: Shape::Integer(0..=i64::MAX);
}

impl Setting for String {
    type Default = str;
    const SHAPE: Shape = Shape::Text;
    fn from_default(default: &str) -> Self {
        default.to_owned()
    }
}

impl Setting for Vec<String> {
    type Default = [&'static str];
    const SHAPE: Shape = Shape::List;
    fn from_default(default: &[&'static str]) -> Self {
        default.iter().map(|&item| item.to_owned()).collect()
    }
}

impl Setting for BTreeMap<String, String> {
    type Default = [(&'static str, &'static str)];
    const SHAPE: Shape = Shape::Headers;
    fn from_default(default: &[(&'static str, &'static str)]) -> Self {
        default.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

impl Setting for SecretString {
    type Default = str;
    const SHAPE: Shape = Shape::Text;
    const SECRET: bool = true;
    fn from_default(default: &str) -> Self {
        default.into()
    }
}

impl Setting for Connection {
    type Default = str;
    const SHAPE: Shape = Shape::NonEmpty;
    const SECRET: bool = true;
    fn from_default(default: &str) -> Self {
        // The default is a file.
        Self::new("sqlite3", default)
    }
}

/// Declares the keys of one section.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        pub struct $Section:ident at $prefix:literal {
            $(
                $(#[doc = $doc:literal])+
                $(#[serde($serde:meta)])?
                $key:ident: $type:ty = $default:expr $(, $shape:expr)?;
            )*
            $(section $name:ident: $Subsection:ty;)*
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, serde::Deserialize, serde::Serialize)]
        #[serde(default, deny_unknown_fields)]
        #[non_exhaustive]
        pub struct $Section {
            $(
                $(#[doc = $doc])+
                #[doc = ""]
                #[doc = concat!("Default: `", stringify!($default), "`.")]
                $(#[serde($serde)])?
                pub $key: $type,
            )*
            $(
                #[doc = concat!("The keys of `", $prefix, stringify!($name), "`.")]
                pub $name: $Subsection,
            )*
        }

        impl Default for $Section {
            fn default() -> Self {
                use $crate::config::declare::Setting;
                Self {
                    $($key: <$type as Setting>::from_default(&$default),)*
                    $($name: <$Subsection>::default(),)*
                }
            }
        }

        impl $crate::config::declare::Section for $Section {
            const DECLARATION: $crate::config::declare::Declaration = $crate::config::declare::Declaration {
                prefix: $prefix,
                about: &[$($about),+],
                keys: &[$($crate::config::declare::Key {
                    path: concat!($prefix, stringify!($key)),
                    about: &[$($doc),+],
                    shape: $crate::config::declare::shape!($type $(, $shape)?),
                    secret: <$type as $crate::config::declare::Setting>::SECRET,
                }),*],
                sections: &[$(&<$Subsection as $crate::config::declare::Section>::DECLARATION),*],
            };
        }
    };
}

/// The shape that a declaration names, or else its type's.
macro_rules! shape {
    ($type:ty) => {
        <$type as $crate::config::declare::Setting>::SHAPE
    };
    ($type:ty, $shape:expr) => {
        $shape
    };
}

pub(super) use section;
pub(super) use shape;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::*;
    use crate::config::Config;
    use crate::config::load::{place_in, value_at};

    #[test]
    fn no_key_is_declared_twice() {
        let keys = Config::DECLARATION.all_keys();
        let paths: BTreeSet<&str> = keys.iter().map(|key| key.path).collect();
        assert_eq!(paths.len(), keys.len());
    }

    /// The prefix is written by hand in each section; a wrong one would name keys that are not there.
    #[test]
    fn every_key_is_where_its_path_says() {
        let config = Config::default();
        for key in Config::DECLARATION.all_keys() {
            assert!(!value_at(&config, key.path).is_null(), "{}", key.path);
        }
    }

    #[test]
    fn every_number_that_a_shape_takes_fits_into_its_type() {
        for key in Config::DECLARATION.all_keys() {
            let (Shape::Integer(range) | Shape::PowerOfTwo(range)) = &key.shape else { continue };
            for number in [range.start(), range.end()] {
                let mut tree = Value::Null;
                *place_in(&mut tree, key.path) = json!(number);
                let config: Config = serde_json::from_value(tree).unwrap();
                assert_eq!(value_at(&config, key.path), json!(number), "{}", key.path);
            }
        }
    }

    #[test]
    fn every_default_is_a_value_that_may_be_set() {
        let config = Config::default();
        for key in Config::DECLARATION.all_keys().into_iter().filter(|key| !key.secret) {
            let text = value_at(&config, key.path).to_string();
            let node = crate::config::yaml::parse(&text).unwrap();
            assert!(key.shape.read(&node.content).is_ok(), "{}: {text}", key.path);
        }
    }
}
