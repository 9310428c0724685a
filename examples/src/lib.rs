//! Jobs that a producer and a worker process share: a crate of their own, as in an application.
