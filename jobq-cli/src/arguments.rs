//! A job's arguments and options as JSON: bounded, for a few bytes of msgpack may become many of JSON.
//!
//! What JSON has no word for is told in objects of its own: bytes as `{"$bytes": "base16"}`, an
//! extension as `{"$extension": [type, bytes]}`, a number that is none as `{"$number": "NaN"}`. A key
//! that is no text becomes one.

use std::fmt;

use jobq::Envelope;
use jobq::runtime::{read_arguments, read_options};
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, json};

/// What a value costs besides its text.
const VALUE_COST: usize = 16;

/// What stands for a part that is left out.
const LEFT_OUT: &str = "…";

/// Arguments as far as they were read.
#[derive(Debug)]
pub(crate) struct Arguments {
    /// `None` if they are no msgpack that could be read.
    pub(crate) value: Option<Value>,
    /// Whether parts are left out.
    pub(crate) is_cut: bool,
}

impl Arguments {
    /// Reads arguments, at most about so many bytes of JSON.
    pub(crate) fn of(envelope: &Envelope, most: usize) -> Self {
        let mut left = most;
        let value = read_arguments(envelope, Part { left: &mut left });
        let is_cut = left == 0;
        Self { value, is_cut }
    }

    /// The options of a job, as they are on the wire.
    pub(crate) fn options(envelope: &Envelope, most: usize) -> Option<Value> {
        // There is room for the object itself always: it has members that are told elsewhere.
        let mut left = most.max(VALUE_COST + 1);
        read_options(envelope, Part { left: &mut left })
    }
}

/// One value; what it costs is taken from what is left.
struct Part<'a> {
    left: &'a mut usize,
}

impl Part<'_> {
    /// Whether there is room for another value with so much text. Nothing is left only once there was not.
    fn has_room(&mut self, text: usize) -> bool {
        let room = self.left.checked_sub(VALUE_COST + text);
        let room = room.filter(|left| *left > 0);
        *self.left = room.unwrap_or(0);
        room.is_some()
    }

    fn part(&mut self) -> Part<'_> {
        Part { left: self.left }
    }

    fn scalar(mut self, value: Value) -> Value {
        match self.has_room(0) {
            true => value,
            false => LEFT_OUT.into(),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Part<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, format: D) -> Result<Value, D::Error> {
        format.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Part<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(self.scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(self.scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(self.scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        let number = serde_json::Number::from_f64(value).map(Value::Number);
        Ok(self.scalar(number.unwrap_or_else(|| json!({ "$number": value.to_string() }))))
    }

    fn visit_str<E>(mut self, value: &str) -> Result<Value, E> {
        let most = *self.left;
        match self.has_room(value.len()) {
            true => Ok(value.into()),
            false => Ok(format!("{}{LEFT_OUT}", front(value, most)).into()),
        }
    }

    fn visit_bytes<E>(mut self, value: &[u8]) -> Result<Value, E> {
        let most = *self.left / 2;
        let shown = match self.has_room(value.len() * 2) {
            true => hex(value),
            false => hex(&value[..most.min(value.len())]) + LEFT_OUT,
        };
        Ok(json!({ "$bytes": shown }))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(self.scalar(Value::Null))
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, format: D) -> Result<Value, D::Error> {
        format.deserialize_any(self)
    }

    /// An extension, which the format gives as its type and its bytes.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, format: D) -> Result<Value, D::Error> {
        let parts = format.deserialize_any(self)?;
        Ok(json!({ "$extension": parts }))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        // An empty one costs too: there may be many.
        let has_room = self.has_room(0);
        while *self.left > 0 {
            match seq.next_element_seed(self.part())? {
                Some(value) => values.push(value),
                None => return Ok(values.into()),
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(if has_room {
            values.into()
        } else {
            LEFT_OUT.into()
        })
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        let has_room = self.has_room(0);
        while *self.left > 0 {
            let Some(key) = map.next_key_seed(self.part())? else {
                return Ok(values.into());
            };
            let key = match key {
                Value::String(key) => key,
                other => other.to_string(),
            };
            let value = map.next_value_seed(self.part())?;
            values.insert(key, value);
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(if has_room {
            values.into()
        } else {
            LEFT_OUT.into()
        })
    }
}

fn front(text: &str, most: usize) -> &str {
    jobq::runtime::text::cut(text, most)
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    let mut hex = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(hex, "{byte:02x}").expect("a string takes everything");
    }
    hex
}

#[cfg(test)]
mod tests {
    use jobq::{At, JobId, Options};

    use super::*;

    fn envelope(args: &[u8]) -> Envelope {
        let options = Options::default();
        let bytes = Envelope::encode(JobId::new(), "job", args, At::from_ms(1), &options);
        Envelope::decode(bytes).unwrap()
    }

    fn read(args: &[u8], most: usize) -> Arguments {
        Arguments::of(&envelope(args), most)
    }

    #[test]
    fn every_value_has_a_word_in_json() {
        for (args, shown) in [
            (&b"\x80"[..], json!({})),
            (b"\x81\xa1a\xc0", json!({ "a": null })),
            (b"\x81\xa1a\xc3", json!({ "a": true })),
            (b"\x81\xa1a\xff", json!({ "a": -1 })),
            (
                b"\x81\xa1a\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
                json!({ "a": u64::MAX }),
            ),
            (
                b"\x81\xa1a\xcb\x7f\xf8\0\0\0\0\0\0",
                json!({ "a": { "$number": "NaN" } }),
            ),
            (
                b"\x81\xa1a\xcb\xff\xf0\0\0\0\0\0\0",
                json!({ "a": { "$number": "-inf" } }),
            ),
            (
                b"\x81\xa1a\xc4\x02\x00\xff",
                json!({ "a": { "$bytes": "00ff" } }),
            ),
            (
                b"\x81\xa1a\xd4\x05\x07",
                json!({ "a": { "$extension": [5, { "$bytes": "07" }] } }),
            ),
            (b"\x81\x07\x92\x01\xa1b", json!({ "7": [1, "b"] })),
            (
                b"\x81\xa2\xc3\x28\x01",
                json!({ "{\"$bytes\":\"c328\"}": 1 }),
            ),
            (b"\x82\xa1b\x01\xa1a\x02", json!({ "a": 2, "b": 1 })),
        ] {
            let read = read(args, 10_000);
            assert_eq!((read.value, read.is_cut), (Some(shown), false), "{args:?}");
        }
    }

    #[test]
    fn what_is_no_msgpack_is_none() {
        for args in [&b""[..], b"\xc1", b"\x81\xa1a", b"\x80\x80", &[0x91; 100]] {
            assert_eq!(read(args, 10_000).value, None, "{args:?}");
        }
    }

    #[test]
    fn what_would_be_long_is_cut_and_says_so() {
        let text = [&b"\x81\xa1a\xda\x10\0"[..], &[b'x'; 4096]].concat();
        let nils = [&b"\x81\xa1a\xdc\x10\0"[..], &[0xc0; 4096]].concat();
        let bytes = [&b"\x81\xa1a\xc5\x10\0"[..], &[0xff; 4096]].concat();
        let maps = [&b"\xde\x10\0"[..], &b"\xa1k\xc0".repeat(4096)].concat();
        let lists = [&b"\x81\xa1a\xdc\x10\0"[..], &[0x90; 4096]].concat();
        let objects = [&b"\x81\xa1a\xdc\x10\0"[..], &[0x80; 4096]].concat();
        for args in [text, nils, bytes, maps, lists, objects] {
            let whole = read(&args, 1_000_000);
            assert!(!whole.is_cut && whole.value.is_some());
            let cut = read(&args, 500);
            let length = cut.value.expect("it is read").to_string().len();
            assert!(cut.is_cut && length < 1000, "{length}");
        }
        assert!(!read(b"\x80", 17).is_cut);
        let cut = read(b"\x80", 16);
        assert!(cut.is_cut && cut.value == Some(LEFT_OUT.into()), "{cut:?}");
    }
}
