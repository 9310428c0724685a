//! One planted fault for each test, on a server that is well but for it.

mod keys;
mod server;
