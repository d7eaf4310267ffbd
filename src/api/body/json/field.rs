//! The value of one field.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, Unexpected, Visitor};

use crate::api::body::FieldTarget;
use crate::model::Extras;

/// Fills in a field; `null` leaves it as it is.
pub(super) struct FieldSeed<'f> {
    pub(super) target: FieldTarget<'f>,
    /// The greatest that a number without a sign may be, for the error.
    pub(super) maximum: Option<u64>,
}

impl<'de> DeserializeSeed<'de> for FieldSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.target {
            FieldTarget::Text(target) => {
                fill(target, Option::<Text>::deserialize(deserializer)?.map(|text| text.0));
            }
            FieldTarget::Flag(target) => {
                fill(target, Option::<Flag>::deserialize(deserializer)?.map(|flag| flag.0));
            }
            FieldTarget::Choice(target) => {
                fill(target, Option::<Flag>::deserialize(deserializer)?.map(|flag| Some(flag.0)));
            }
            FieldTarget::Integer(target) => {
                let number = Option::<Whole>::deserialize(deserializer)?;
                fill(target, number.map(|number| number.into_i64().map(Some)).transpose()?);
            }
            FieldTarget::Unsigned(target) => {
                let number = Option::<Whole>::deserialize(deserializer)?;
                fill(target, number.map(|number| number.into_u64(self.maximum).map(Some)).transpose()?);
            }
            FieldTarget::Extras(target) | FieldTarget::Object(target) => {
                fill(target, Option::<Extras>::deserialize(deserializer)?.map(Some));
            }
        }
        Ok(())
    }
}

fn fill<T>(target: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *target = value;
    }
}

/// A value that says in plain words what it must be.
macro_rules! value {
    ($(#[$doc:meta])* $name:ident($inner:ty), $expected:literal, $hint:ident { $($visit:tt)* }) => {
        $(#[$doc])*
        struct $name($inner);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Expected;

                impl Visitor<'_> for Expected {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }

                    $($visit)*
                }

                deserializer.$hint(Expected)
            }
        }
    };
}

value!(
    /// A text.
    Text(String), "a text", deserialize_string {
        fn visit_str<E>(self, text: &str) -> Result<Text, E> {
            Ok(Text(text.to_owned()))
        }
    }
);

value!(
    /// A flag.
    Flag(bool), "true or false", deserialize_bool {
        fn visit_bool<E>(self, flag: bool) -> Result<Flag, E> {
            Ok(Flag(flag))
        }
    }
);

value!(
    /// A whole number.
    Whole(i128), "a whole number", deserialize_any {
        fn visit_i64<E>(self, number: i64) -> Result<Whole, E> {
            Ok(Whole(number.into()))
        }

        fn visit_u64<E>(self, number: u64) -> Result<Whole, E> {
            Ok(Whole(number.into()))
        }

        fn visit_f64<E: Error>(self, number: f64) -> Result<Whole, E> {
            // How serde_json reads the integer -0.
            if number == 0.0 && number.is_sign_negative() {
                return Ok(Whole(0));
            }
            // How it reads an integer that is too large for it.
            if number.abs() >= TOO_LARGE {
                return Ok(Whole(if number > 0.0 { i128::MAX } else { i128::MIN }));
            }
            Err(E::invalid_type(Unexpected::Float(number), &self))
        }
    }
);

/// 2 to the power of 63: a number from here on is no `i64`.
const TOO_LARGE: f64 = 9_223_372_036_854_775_808.0;

impl Whole {
    fn into_i64<E: Error>(self) -> Result<i64, E> {
        i64::try_from(self.0).map_err(|_| out_of_range(self.0, i64::MIN, i64::MAX))
    }

    fn into_u64<E: Error>(self, maximum: Option<u64>) -> Result<u64, E> {
        u64::try_from(self.0).map_err(|_| out_of_range(self.0, u64::MIN, maximum.unwrap_or(u64::MAX)))
    }
}

fn out_of_range<N: fmt::Display, E: Error>(number: i128, least: N, greatest: N) -> E {
    let shown = match number {
        i128::MAX => "a very large number".to_owned(),
        i128::MIN => "a very small number".to_owned(),
        number => number.to_string(),
    };
    E::custom(format_args!("invalid value: {shown}, expected a whole number from {least} to {greatest}"))
}
