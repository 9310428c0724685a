//! What a format says of itself is told through the bound; how it stops what nests too deep is
//! tested with the arguments.

use serde::de::value::{Error, MapDeserializer, SeqDeserializer};
use serde::de::{Expected, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess};
use serde::{Deserializer, Serializer};

use super::Limited;

#[test]
fn formats_for_people_and_for_machines_stay_what_they_are() {
    let people = IntoDeserializer::<Error>::into_deserializer(1u8);
    assert!(Limited::new(people).is_human_readable());
    let machines = &mut rmp_serde::Deserializer::from_read_ref(b"\x01");
    assert!(!Limited::new(machines).is_human_readable());
    let mut out = Vec::new();
    let people = &mut rmp_serde::Serializer::new(&mut out).with_human_readable();
    assert!(Limited::new(people).is_human_readable());
    let machines = &mut rmp_serde::Serializer::new(&mut out);
    assert!(!Limited::new(machines).is_human_readable());
}

#[test]
fn what_is_left_of_a_list_or_a_map_is_told() {
    let values = SeqDeserializer::<_, Error>::new([1u8, 2, 3].into_iter());
    let mut values = Limited::new(values);
    let pairs = MapDeserializer::<_, Error>::new([("a", 1u8), ("b", 2), ("c", 3)].into_iter());
    let mut pairs = Limited::new(pairs);
    for left in [3, 2, 1] {
        assert_eq!(SeqAccess::size_hint(&values), Some(left));
        assert!(values.next_element::<u8>().unwrap().is_some());
        assert_eq!(MapAccess::size_hint(&pairs), Some(left));
        assert!(pairs.next_entry::<String, u8>().unwrap().is_some());
    }
    assert_eq!(values.next_element::<u8>(), Ok(None));
    assert_eq!(pairs.next_entry::<String, u8>(), Ok(None));
}

#[test]
fn what_a_value_expects_is_told() {
    let expected: &dyn Expected = &Limited::new(IgnoredAny);
    assert_eq!(expected.to_string(), "anything at all");
}
