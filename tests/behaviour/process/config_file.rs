//! Configuration files of tests.

use std::path::PathBuf;

use support::Folder;

/// What must appear in no output.
pub(super) const SECRET: &str = "planted-secret-8";

/// A configuration file, removed when this is dropped.
pub(super) struct ConfigFile {
    path: PathBuf,
    _folder: Folder,
}

impl ConfigFile {
    pub(super) fn new(content: impl AsRef<[u8]>) -> Self {
        let folder = Folder::new();
        Self {
            path: folder.write("jobq.toml", content),
            _folder: folder,
        }
    }

    pub(super) fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }
}
