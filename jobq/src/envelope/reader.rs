//! Reading msgpack from a slice: every length is checked against what is left before it is used,
//! nothing is copied, nothing recurses.

use std::ops::Range;

use crate::error::EnvelopeError;

/// What stands at the front of a value: a whole scalar, or the size of what follows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Head {
    Nil,
    Bool(bool),
    /// An integer that is not negative, of either sign and any width.
    Uint(u64),
    /// A negative integer.
    Negative(i64),
    Float(f64),
    /// Bytes of text that follow.
    Str(usize),
    /// Bytes that follow.
    Bin(usize),
    /// Bytes that follow, the one of the type included.
    Ext(usize),
    /// Values that follow.
    Array(usize),
    /// Pairs of values that follow.
    Map(usize),
}

/// A place in a slice. Each method says what it looks for, for the error.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    #[inline]
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// One that begins further on: its offsets count from the start of `bytes` all the same.
    pub(super) fn starting_at(at: usize, bytes: &'a [u8]) -> Self {
        Self { bytes, at }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The raw bytes since an earlier place.
    pub(super) fn since(&self, start: usize) -> &'a [u8] {
        &self.bytes[start..self.at]
    }

    /// The front of the next value. A size it answers is not larger than what is left: for bytes
    /// exactly, for values and pairs as far as each takes at least a byte.
    pub(super) fn head(&mut self, what: &'static str) -> Result<Head, EnvelopeError> {
        let marker = self.take(1, what)?[0];
        Ok(match marker {
            0x00..=0x7f => Head::Uint(marker.into()),
            0x80..=0x8f => Head::Map(self.fits((marker & 0x0f).into(), 2, what)?),
            0x90..=0x9f => Head::Array(self.fits((marker & 0x0f).into(), 1, what)?),
            0xa0..=0xbf => Head::Str(self.fits((marker & 0x1f).into(), 1, what)?),
            0xc0 => Head::Nil,
            0xc1 => return Err(self.unexpected(self.at - 1, what)),
            0xc2 | 0xc3 => Head::Bool(marker == 0xc3),
            0xc4..=0xc6 => Head::Bin(self.size(1 << (marker - 0xc4), 1, what)?),
            0xc7..=0xc9 => Head::Ext(self.ext(1 << (marker - 0xc7), what)?),
            0xca => Head::Float(f32::from_bits(self.be(4, what)? as u32).into()),
            0xcb => Head::Float(f64::from_bits(self.be(8, what)?)),
            0xcc..=0xcf => Head::Uint(self.be(1 << (marker - 0xcc), what)?),
            0xd0..=0xd3 => signed(self.be(1 << (marker - 0xd0), what)?, 8 << (marker - 0xd0)),
            0xd4..=0xd8 => Head::Ext(self.fits((1 << (marker - 0xd4)) + 1, 1, what)?),
            0xd9..=0xdb => Head::Str(self.size(1 << (marker - 0xd9), 1, what)?),
            0xdc | 0xdd => Head::Array(self.size(2 << (marker - 0xdc), 1, what)?),
            0xde | 0xdf => Head::Map(self.size(2 << (marker - 0xde), 2, what)?),
            0xe0..=0xff => Head::Negative((marker as i8).into()),
        })
    }

    /// An integer that is not negative.
    #[inline]
    pub(super) fn uint(&mut self, what: &'static str) -> Result<u64, EnvelopeError> {
        let at = self.at;
        match self.head(what)? {
            Head::Uint(n) => Ok(n),
            _ => Err(self.unexpected(at, what)),
        }
    }

    /// An integer from 0 to 4,294,967,295.
    pub(super) fn uint32(
        &mut self,
        field: &'static str,
        what: &'static str,
    ) -> Result<u32, EnvelopeError> {
        let n = self.uint(what)?;
        u32::try_from(n).map_err(|_| EnvelopeError::OutOfRange {
            field,
            value: n.to_string(),
            expected: "at most 4294967295",
        })
    }

    /// Where the bytes of a bin are; they are passed over.
    #[inline]
    pub(super) fn bin(&mut self, what: &'static str) -> Result<Range<usize>, EnvelopeError> {
        let at = self.at;
        match self.head(what)? {
            Head::Bin(len) => Ok(self.skip(len)),
            _ => Err(self.unexpected(at, what)),
        }
    }

    /// A text.
    #[inline]
    pub(super) fn str(&mut self, what: &'static str) -> Result<&'a str, EnvelopeError> {
        let at = self.at;
        match self.head(what)? {
            Head::Str(len) => self.text(len, what),
            _ => Err(self.unexpected(at, what)),
        }
    }

    /// The text that follows its head.
    pub(super) fn text(
        &mut self,
        len: usize,
        what: &'static str,
    ) -> Result<&'a str, EnvelopeError> {
        let range = self.skip(len);
        std::str::from_utf8(&self.bytes[range.clone()]).map_err(|error| EnvelopeError::Unexpected {
            at: range.start + error.valid_up_to(),
            expected: what,
        })
    }

    /// The number of values of an array.
    pub(super) fn array(&mut self, what: &'static str) -> Result<usize, EnvelopeError> {
        let at = self.at;
        match self.head(what)? {
            Head::Array(len) => Ok(len),
            _ => Err(self.unexpected(at, what)),
        }
    }

    /// The number of pairs of a map.
    pub(super) fn map(&mut self, what: &'static str) -> Result<usize, EnvelopeError> {
        let at = self.at;
        match self.head(what)? {
            Head::Map(len) => Ok(len),
            _ => Err(self.unexpected(at, what)),
        }
    }

    /// The bytes that follow their head, passed over. `len` is one that [`Reader::head`] answered.
    #[inline]
    pub(super) fn skip(&mut self, len: usize) -> Range<usize> {
        let start = self.at;
        self.at += len;
        start..self.at
    }

    /// Nothing may follow.
    pub(super) fn end(&self) -> Result<(), EnvelopeError> {
        match self.left() {
            0 => Ok(()),
            extra => Err(EnvelopeError::TrailingBytes { extra }),
        }
    }

    pub(super) fn unexpected(&self, at: usize, expected: &'static str) -> EnvelopeError {
        EnvelopeError::Unexpected { at, expected }
    }

    /// The next bytes.
    #[inline]
    pub(super) fn take(
        &mut self,
        len: usize,
        what: &'static str,
    ) -> Result<&'a [u8], EnvelopeError> {
        self.fits(len as u64, 1, what)?;
        let range = self.skip(len);
        Ok(&self.bytes[range])
    }

    /// A number of `width` bytes, the highest first.
    #[inline]
    fn be(&mut self, width: usize, what: &'static str) -> Result<u64, EnvelopeError> {
        let bytes = self.take(width, what)?;
        Ok(bytes.iter().fold(0, |n, &byte| n << 8 | u64::from(byte)))
    }

    /// A size of `width` bytes, of things that take at least `each` bytes.
    #[inline]
    fn size(
        &mut self,
        width: usize,
        each: u64,
        what: &'static str,
    ) -> Result<usize, EnvelopeError> {
        let size = self.be(width, what)?;
        self.fits(size, each, what)
    }

    fn ext(&mut self, width: usize, what: &'static str) -> Result<usize, EnvelopeError> {
        let len = self.be(width, what)?;
        self.fits(len + 1, 1, what)
    }

    #[inline]
    fn fits(&self, size: u64, each: u64, what: &'static str) -> Result<usize, EnvelopeError> {
        // At most twice 2³², so the product holds.
        if size * each > self.left() as u64 {
            return Err(EnvelopeError::Truncated { at: self.at, what });
        }
        Ok(size as usize)
    }
}

fn signed(raw: u64, bits: u32) -> Head {
    let spare = 64 - bits;
    let n = ((raw << spare) as i64) >> spare;
    u64::try_from(n).map_or(Head::Negative(n), Head::Uint)
}
