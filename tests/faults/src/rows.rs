//! The rows, in the order of the matrix.

use crate::row::Row;

pub mod m1;
mod network;

pub mod m2;
pub mod m3;
pub mod m4;
pub mod m5;
pub mod m6;
pub mod n1;
pub mod n2;
pub mod n3;
pub mod n4;
pub mod n5;
pub mod p1;
pub mod p10;
pub mod p11;
pub mod p2;
pub mod p3;
pub mod p4;
pub mod p5;
pub mod p6;
pub mod p7;
pub mod p8;
pub mod p9;
pub mod r1;
pub mod r2;
pub mod r3;
pub mod r4;
pub mod r5;
pub mod r6;
pub mod r7;
pub mod r8;
pub mod r9;

/// All of them.
pub const ROWS: &[Row] = &[
    p1::ROW,
    p2::ROW,
    p3::ROW,
    p4::ROW,
    p5::ROW,
    p6::ROW,
    p7::ROW,
    p8::ROW,
    p9::ROW,
    p10::ROW,
    p11::ROW,
    r1::ROW,
    r2::ROW,
    r3::ROW,
    r4::ROW,
    r5::ROW,
    r6::ROW,
    r7::ROW,
    r8::ROW,
    r9::ROW,
    n1::ROW,
    m1::ROW,
    n2::ROW,
    n3::ROW,
    n4::ROW,
    n5::ROW,
    m2::ROW,
    m3::ROW,
    m4::ROW,
    m5::ROW,
    m6::ROW,
];
