//! Every message that a user can meet in the first hour, made for real and written down side by
//! side in `messages.txt`, so that a change of one shows in a diff and all can be read aloud.
//!
//! `JOBQ_MESSAGES=overwrite` writes the file anew.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod building;
mod compiling;
mod connecting;
mod document;
mod enqueueing;
mod looking;
mod process;
mod rules;
mod running;
mod runtimes;
mod variants;

use document::Document;

/// The password of every login here: in no message, and in no `Debug` of an error.
const PASSWORD: &str = "hunter2";

#[tokio::test]
async fn every_message_is_as_written_down_and_keeps_the_rules() {
    let mut document = Document::default();
    connecting::collect(&mut document).await;
    enqueueing::collect(&mut document).await;
    looking::collect(&mut document).await;
    building::collect(&mut document).await;
    running::collect(&mut document).await;
    runtimes::collect(&mut document);
    process::collect(&mut document);
    compiling::collect(&mut document);
    document.compare();
    let broken = rules::broken(&document);
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
    let missing = variants::missing(&document);
    assert!(missing.is_empty(), "no message shows {missing:?}");
}
