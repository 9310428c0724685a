//! What jobs of several processes write down: a file, to which each appends whole lines.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::folder::Folder;

/// A file of lines in a place of its own, removed when this is dropped.
#[derive(Debug)]
pub struct Record {
    path: PathBuf,
    _folder: Folder,
}

impl Record {
    /// An empty one.
    ///
    /// # Panics
    ///
    /// When the folder for temporary files is not writable.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it makes a file")]
    pub fn new() -> Self {
        let folder = Folder::new();
        Self {
            path: folder.write("record", ""),
            _folder: folder,
        }
    }

    /// Where it lies, for jobs.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// Its lines so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.path).unwrap_or_default();
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
        append(&self.path, line);
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
