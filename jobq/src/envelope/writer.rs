//! Writing msgpack into memory, every value in its shortest form.

use bytes::Bytes;
use rmp::encode;

const IN_MEMORY: &str = "writing into memory cannot fail";

/// Bytes that grow value by value.
#[derive(Debug)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// In place of what the memory holds.
    pub(super) fn over(mut memory: Vec<u8>) -> Self {
        memory.clear();
        Self(memory)
    }

    pub(super) fn finish(self) -> Bytes {
        self.0.into()
    }

    pub(super) fn into_inner(self) -> Vec<u8> {
        self.0
    }

    pub(super) fn array(&mut self, len: usize) {
        encode::write_array_len(&mut self.0, short(len)).expect(IN_MEMORY);
    }

    pub(super) fn map(&mut self, len: usize) {
        encode::write_map_len(&mut self.0, short(len)).expect(IN_MEMORY);
    }

    pub(super) fn uint(&mut self, n: u64) {
        encode::write_uint(&mut self.0, n).expect(IN_MEMORY);
    }

    /// A number in the nine bytes of a 64-bit one, whatever its value.
    pub(super) fn wide_uint(&mut self, n: u64) {
        encode::write_u64(&mut self.0, n).expect(IN_MEMORY);
    }

    pub(super) fn float(&mut self, n: f64) {
        encode::write_f64(&mut self.0, n).expect(IN_MEMORY);
    }

    pub(super) fn str(&mut self, text: &str) {
        encode::write_str(&mut self.0, text).expect(IN_MEMORY);
    }

    pub(super) fn bin(&mut self, bytes: &[u8]) {
        encode::write_bin(&mut self.0, bytes).expect(IN_MEMORY);
    }

    /// Values that are msgpack already.
    pub(super) fn raw(&mut self, values: &[u8]) {
        self.0.extend_from_slice(values);
    }
}

fn short(len: usize) -> u32 {
    u32::try_from(len).expect("what jobq writes has fewer than 2³² elements")
}
