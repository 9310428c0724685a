//! Jobs that a producer and a worker process share. They stand in a crate of their own, as in an
//! application, whose only dependencies are `jobq` and what the jobs themselves use.

pub mod contract;
pub mod invoices;

/// The programs of the README and of the guide, compiled and run by the doc tests. They share one
/// binary, whose workers know every job in it: a job's name stands once in all pages, and a block
/// with state, or with a name that another has too, is a `standalone_crate`.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../../README.md")]
    mod readme {}
    #[doc = include_str!("../../docs/guide/getting-started.md")]
    mod getting_started {}
    #[doc = include_str!("../../docs/guide/jobs-and-arguments.md")]
    mod jobs_and_arguments {}
    #[doc = include_str!("../../docs/guide/failures-and-retries.md")]
    mod failures_and_retries {}
    #[doc = include_str!("../../docs/guide/workers-queues-weights.md")]
    mod workers_queues_weights {}
    #[doc = include_str!("../../docs/guide/what-is-promised.md")]
    mod what_is_promised {}
    #[doc = include_str!("../../docs/guide/leases-and-timeouts.md")]
    mod leases_and_timeouts {}
    #[doc = include_str!("../../docs/guide/durability.md")]
    mod durability {}
    #[doc = include_str!("../../docs/guide/shutdown-and-deploys.md")]
    mod shutdown_and_deploys {}
    #[doc = include_str!("../../docs/guide/testing.md")]
    mod testing {}
    #[doc = include_str!("../../docs/guide/embedding.md")]
    mod embedding {}
    #[doc = include_str!("../../docs/guide/other-languages.md")]
    mod other_languages {}
    #[doc = include_str!("../../docs/guide/coming-from.md")]
    mod coming_from {}
}
