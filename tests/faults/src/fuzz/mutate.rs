//! Breaks valid input.

use rand::RngExt as _;
use rand::rngs::StdRng;

/// Bytes that begin or end something: of msgpack, of text, of numbers.
const TELLING: &[u8] =
    b"\x00\x01\x7f\x80\x81\x8f\x90\x91\x9f\xa0\xbf\xc0\xc1\xc4\xc6\xc7\xc9\xca\xcb\
    \xcf\xd0\xd3\xd4\xd8\xd9\xdb\xdc\xdd\xde\xdf\xe0\xff\"%/:@?#[]{}.,-+ \n\r\t\x1b09";

/// The longest input.
const LONGEST: usize = 1 << 16;

/// One of the corpus, or two of it together, with a few faults.
pub(super) fn one_of(corpus: &[Vec<u8>], random: &mut StdRng) -> Vec<u8> {
    let mut bytes = pick(corpus, random).clone();
    for _ in 0..random.random_range(1..=4) {
        break_once(&mut bytes, corpus, random);
    }
    bytes.truncate(LONGEST);
    bytes
}

fn pick<'a, T>(from: &'a [T], random: &mut StdRng) -> &'a T {
    &from[random.random_range(0..from.len())]
}

fn break_once(bytes: &mut Vec<u8>, corpus: &[Vec<u8>], random: &mut StdRng) {
    let at = random.random_range(0..=bytes.len());
    let end = random.random_range(at..=bytes.len());
    match random.random_range(0..10) {
        0..=2 if at < bytes.len() => bytes[at] ^= 1 << random.random_range(0..8),
        3 if at < bytes.len() => bytes[at] = *pick(TELLING, random),
        4 => bytes.insert(at, *pick(TELLING, random)),
        5 => drop(bytes.drain(at..end)),
        6 => {
            let again = bytes[at..end].repeat(random.random_range(1..4));
            bytes.splice(at..at, again);
        }
        7 => {
            // A length, or a number, as large as it can be said.
            let width = *pick(&[1, 2, 4, 8], random);
            let fill = *pick(&[0x00, 0x7f, 0xff], random);
            bytes.splice(at..end.min(at + width), vec![fill; width]);
        }
        8 => {
            let other = pick(corpus, random);
            let from = random.random_range(0..=other.len());
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
        }
        _ => {
            // Deep, or long.
            let unit = [*pick(TELLING, random), *pick(TELLING, random)];
            let unit = &unit[..random.random_range(1..=2)];
            let times = 1 << random.random_range(0..14);
            bytes.splice(at..at, unit.repeat(times));
            if random.random() {
                bytes.truncate(at + unit.len() * times);
            }
        }
    }
}
