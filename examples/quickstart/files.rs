//! Finds the files to work on.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;

/// Every file below the folders, sorted; hidden ones and build output left out.
pub(crate) fn below(folders: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = folders.to_vec();
    while let Some(folder) = open.pop() {
        let place = || folder.display().to_string();
        for entry in fs::read_dir(&folder).with_context(place)? {
            let entry = entry.with_context(place)?;
            let name = entry.file_name();
            if name.as_encoded_bytes().starts_with(b".") || name == "target" {
                continue;
            }
            let kind = entry.file_type()?;
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}
