//! What a worker takes for a list of queues.

/// Names of queues, each with a weight if there is one: an array, a `Vec` or any other iterator of
/// texts. One text is none, for it may have been meant as a list in itself.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), jobq::ConnectError> {
/// # use jobq_worker::Worker;
/// # let client = jobq::connect("memory://").await?;
/// let worker = Worker::builder(client).queues(["critical:6", "default:3"]);
/// let from_text = worker.queues("critical:6,default:3".split(','));
/// # let _ = from_text;
/// # Ok(())
/// # }
/// ```
///
/// ```compile_fail,E0277
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), jobq::ConnectError> {
/// # use jobq_worker::Worker;
/// # let client = jobq::connect("memory://").await?;
/// let worker = Worker::builder(client).queues("critical:6,default:3");
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no list of queues",
    label = "expected a list of names",
    note = "write `.queues([\"critical:6\", \"default:3\"])`, for one queue `.queues([\"mail\"])`, and for a list in one text `.queues(text.split(','))`"
)]
pub trait QueueList {
    /// The texts, in their order.
    fn into_texts(self) -> Vec<String>;
}

impl<I: IntoIterator<Item: Into<String>>> QueueList for I {
    fn into_texts(self) -> Vec<String> {
        self.into_iter().map(Into::into).collect()
    }
}
