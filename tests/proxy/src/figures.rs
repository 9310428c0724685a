//! What a proxy has passed on.

use std::ops::Sub;

use crate::rules::Direction;

/// Bytes and connections since the proxy was started, or between two looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Carried {
    /// Bytes from clients handed to the server.
    pub request: u64,
    /// Bytes from the server handed to clients.
    pub reply: u64,
    /// Connections that were taken.
    pub connections: u64,
    /// Connections that were turned away by order, and those taken that the server did not take.
    pub refused: u64,
    /// Connections that a [`Cut`](crate::Cut) ended.
    pub cuts: u64,
}

impl Carried {
    /// The bytes of one direction.
    #[must_use]
    pub fn bytes(&self, direction: Direction) -> u64 {
        match direction {
            Direction::Request => self.request,
            Direction::Reply => self.reply,
        }
    }

    pub(crate) fn add(&mut self, direction: Direction, bytes: u64) {
        match direction {
            Direction::Request => self.request += bytes,
            Direction::Reply => self.reply += bytes,
        }
    }
}

impl Sub for Carried {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            request: self.request - before.request,
            reply: self.reply - before.reply,
            connections: self.connections - before.connections,
            refused: self.refused - before.refused,
            cuts: self.cuts - before.cuts,
        }
    }
}
