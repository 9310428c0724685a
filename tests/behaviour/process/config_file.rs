//! Configuration files of tests.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

/// What must appear in no output.
pub(super) const SECRET: &str = "planted-secret-8";

/// A configuration file, removed when this is dropped.
pub(super) struct ConfigFile(PathBuf);

impl ConfigFile {
    pub(super) fn new(content: impl AsRef<[u8]>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("jobq-test-config-{}-{number}.toml", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, content).unwrap();
        Self(path)
    }

    pub(super) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for ConfigFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
