//! What a `#[job]` function may return, as a trait whose errors speak of jobs.

use super::{Never, Other, Owned};
use crate::error::BoxError;
use crate::job::JobResult;

/// The type that a function returns: any [`JobResult`]. `Kind` is there for the same reason as that
/// of [`super::Argument`].
#[diagnostic::on_unimplemented(
    message = "a job cannot return `{Self}`",
    label = "expected nothing, or a `Result<T, E>` whose error can be boxed",
    note = "`E` is whatever converts into `Box<dyn Error + Send + Sync>`: std errors, types that implement `std::error::Error + Send + Sync`, `anyhow::Error`, `eyre::Report`, `String`, `jobq::JobError`",
    note = "instead of `Box<dyn Error>`, which may not leave its thread, write `jobq::BoxError`"
)]
pub trait Returned<Kind> {
    /// See [`JobResult::into_result`].
    ///
    /// # Errors
    ///
    /// The handler's own error.
    fn into_result(self) -> Result<(), BoxError>;
}

impl<R: JobResult> Returned<Owned> for R {
    fn into_result(self) -> Result<(), BoxError> {
        JobResult::into_result(self)
    }
}

impl<R: Never> Returned<Other> for R {
    fn into_result(self) -> Result<(), BoxError> {
        unreachable!("no type is `Never`")
    }
}
