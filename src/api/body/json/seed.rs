//! Filling in a form while its JSON is being parsed, without a tree of values in between.
//!
//! No seed fails because of a type: it notes the mismatch, skips the value and goes on.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::super::{Form, Slot};
use crate::model::Extras;

/// Fills in a form from an object.
pub(super) struct FormSeed<'f, F> {
    pub(super) form: &'f mut F,
    /// The first value of a wrong type, in the words for the client.
    pub(super) mismatch: &'f mut Option<String>,
}

impl<F: Form> FormSeed<'_, F> {
    fn mismatch(self, found: &str) {
        self.mismatch.get_or_insert_with(|| {
            format!("json: cannot unmarshal {found} into Go value of type model.{}", F::NAME)
        });
    }
}

/// Fills in one field.
struct FieldSeed<'f> {
    slot: Slot<'f>,
    form: &'static str,
    field: &'static str,
    mismatch: &'f mut Option<String>,
}

impl FieldSeed<'_> {
    fn mismatch(self, found: &str) {
        let expected = match self.slot {
            Slot::Text(_) => "string",
            Slot::Integer(_) => "int",
            Slot::Unsigned(_) => "uint",
            Slot::Flag(_) => "bool",
            Slot::Extras(_) => "map[string]interface {}",
        };
        let (form, field) = (self.form, self.field);
        self.mismatch.get_or_insert_with(|| {
            format!("json: cannot unmarshal {found} into Go struct field {form}.{field} of type {expected}")
        });
    }

    /// Of numbers, Gotify's text shows the digits where another number would have done.
    fn number_mismatch(self, number: impl fmt::Debug) {
        if matches!(self.slot, Slot::Integer(_) | Slot::Unsigned(_)) {
            self.mismatch(&format!("number {number:?}"));
        } else {
            self.mismatch("number");
        }
    }
}

/// The visitor methods for values that can only be of the wrong type.
macro_rules! mismatches {
    ($($method:ident($value:ty) = $found:literal;)*) => {
        $(fn $method<E>(self, _: $value) -> Result<(), E> {
            self.mismatch($found);
            Ok(())
        })*
    };
}

impl<'de, F: Form> DeserializeSeed<'de> for FormSeed<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: Form> Visitor<'de> for FormSeed<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    mismatches! {
        visit_bool(bool) = "bool";
        visit_i64(i64) = "number";
        visit_u64(u64) = "number";
        visit_f64(f64) = "number";
        visit_str(&str) = "string";
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        self.mismatch("array");
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(index) = entries.next_key_seed(KeySeed::<F>::default())? {
            let Some(index) = index else {
                entries.next_value::<IgnoredAny>()?;
                continue;
            };
            entries.next_value_seed(FieldSeed {
                slot: self.form.slot(index),
                form: F::NAME,
                field: F::FIELDS[index].name,
                mismatch: self.mismatch,
            })?;
        }
        Ok(())
    }
}

/// Finds the field that a key means, without copying the key.
struct KeySeed<F>(PhantomData<F>);

impl<F> Default for KeySeed<F> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<'de, F: Form> DeserializeSeed<'de> for KeySeed<F> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<F: Form> Visitor<'_> for KeySeed<F> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Option<usize>, E> {
        Ok(F::FIELDS.iter().position(|field| field.name.eq_ignore_ascii_case(key)))
    }
}

impl<'de> DeserializeSeed<'de> for FieldSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for FieldSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        if let Slot::Flag(slot) = self.slot {
            *slot = value;
        } else {
            self.mismatch("bool");
        }
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        match (self.slot, u64::try_from(number)) {
            (Slot::Integer(slot), _) => *slot = Some(number),
            (Slot::Unsigned(slot), Ok(number)) => *slot = Some(number),
            (slot, _) => Self { slot, ..self }.number_mismatch(number),
        }
        Ok(())
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<(), E> {
        match (self.slot, i64::try_from(number)) {
            (Slot::Integer(slot), Ok(number)) => *slot = Some(number),
            (Slot::Unsigned(slot), _) => *slot = Some(number),
            (slot, _) => Self { slot, ..self }.number_mismatch(number),
        }
        Ok(())
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<(), E> {
        // How serde_json reads the integer -0.
        if number == 0.0 && number.is_sign_negative() {
            return self.visit_i64(0);
        }
        self.number_mismatch(number);
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if let Slot::Text(slot) = self.slot {
            text.clone_into(slot);
        } else {
            self.mismatch("string");
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        self.mismatch("array");
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        if let Slot::Extras(slot) = self.slot {
            let mut extras = Extras::new();
            while let Some((key, value)) = entries.next_entry()? {
                extras.insert(key, value);
            }
            *slot = Some(extras);
        } else {
            self.mismatch("object");
            while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        }
        Ok(())
    }
}
