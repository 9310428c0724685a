//! The rows, in the order of the matrix.

use crate::row::Row;

pub mod n1;
pub mod p1;

/// All of them.
pub const ROWS: &[Row] = &[p1::ROW, n1::ROW];
