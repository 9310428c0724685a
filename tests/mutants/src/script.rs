//! The scripts, and a mutant made as long as its script.

use std::fs;
use std::path::Path;

const FOLDER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../jobq/src/broker/redis/lua"
);

/// A Lua file of the Redis broker.
#[derive(Debug, Clone)]
pub struct Script {
    /// That of its file, without the ending.
    pub name: String,
    /// Its text.
    pub source: String,
}

/// All scripts, by name.
///
/// # Panics
///
/// When the folder cannot be read, or is empty.
#[must_use]
pub fn scripts() -> Vec<Script> {
    let entries = fs::read_dir(FOLDER).expect("the folder of the scripts is there");
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let mut found: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "lua"))
        .map(|path| read(&path))
        .collect();
    assert!(!found.is_empty(), "there is no script in {FOLDER}");
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn read(path: &Path) -> Script {
    let name = path.file_stem().expect("a file has a name");
    Script {
        name: name.to_string_lossy().into_owned(),
        source: fs::read_to_string(path).expect("a script is text"),
    }
}

/// The text without its comments, lines kept, filled up to `length` bytes. None where even so it is
/// longer.
pub(crate) fn fitted(text: &str, length: usize) -> Option<String> {
    let bare = |line: &str| match line.trim_start().starts_with("--") {
        true => String::new(),
        false => line.to_owned(),
    };
    let lines: Vec<_> = text.lines().map(bare).collect();
    let mut fitted = lines.join("\n");
    let missing = length.checked_sub(fitted.len())?;
    fitted.extend(std::iter::repeat_n('\n', missing));
    Some(fitted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_mutant_takes_the_room_of_comments() {
        let source = "#!lua\n-- Header.\nlocal a = 1\n  -- Why.\nreturn a";
        let mutant = "#!lua\n-- Header.\nlocal a = 1 + 1\n  -- Why.\nreturn a";
        let fitted = fitted(mutant, source.len()).expect("the comments are longer than ' + 1'");
        assert_eq!(fitted.len(), source.len());
        assert_eq!(fitted.trim_end(), "#!lua\n\nlocal a = 1 + 1\n\nreturn a");
    }

    #[test]
    fn a_mutant_without_room_is_refused() {
        assert_eq!(fitted("return 1 + 1", 8), None);
    }
}
