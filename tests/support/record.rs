//! What jobs of several processes write down: a file, to which each appends whole lines.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A file of lines in a place of its own, removed when this is dropped.
#[derive(Debug)]
pub struct Record(PathBuf);

impl Record {
    /// An empty one.
    ///
    /// # Panics
    ///
    /// When the folder for temporary files is not writable.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it makes a file")]
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("jobq-test-record-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, "").expect("the folder for temporary files is writable");
        Self(path)
    }

    /// Where it lies, for jobs.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.0.clone()
    }

    /// Its lines so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.0).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Its lines that begin so, without that beginning.
    #[must_use]
    pub fn after(&self, beginning: &str) -> Vec<String> {
        let rest = |line: String| line.strip_prefix(beginning).map(str::to_owned);
        self.lines().into_iter().filter_map(rest).collect()
    }

    /// Waits for so many lines that begin so.
    pub async fn wait_for(&self, beginning: &str, times: usize) {
        let what = format!("{times} × {beginning:?} in the record");
        crate::eventually(&what, async || {
            (self.after(beginning).len() >= times).then_some(())
        })
        .await;
    }

    /// Appends a line.
    pub fn write(&self, line: &str) {
        append(&self.0, line);
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        // What stays behind lies in the folder for temporary files.
        let _ = fs::remove_file(&self.0);
    }
}

/// Appends a line in one write, so that a process killed at any time leaves whole lines.
pub(crate) fn append(path: &Path, line: &str) {
    let file = OpenOptions::new().append(true).open(path);
    // A job that outlives its test has nowhere to write.
    if let Ok(mut file) = file {
        let _ = file.write_all(format!("{line}\n").as_bytes());
    }
}
