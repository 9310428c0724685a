//! The variants of the public error enums, read from the source: outside of its crate a `match`
//! over one of them is never complete.

use std::fs;
use std::path::Path;

use crate::document::Document;

/// Where public errors are.
const SOURCES: [&str; 2] = ["../jobq/src", "../jobq-worker/src"];

/// Variants that no message of the document comes from.
pub(crate) fn missing(document: &Document) -> Vec<String> {
    let mut all = Vec::new();
    for source in SOURCES {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
        all.extend(variants(
            &fs::read_to_string(folder.join("error.rs")).unwrap(),
        ));
        // Where the file has been taken apart.
        for part in fs::read_dir(folder.join("error")).into_iter().flatten() {
            all.extend(variants(&fs::read_to_string(part.unwrap().path()).unwrap()));
        }
    }
    assert!(all.len() > 25, "{all:?}");
    all.retain(|variant| !document.met.contains(variant));
    all
}

/// The variants of each `pub enum …Error` of a formatted file.
fn variants(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut current = None;
    for line in source.lines() {
        if let Some(rest) = line.strip_prefix("pub enum ") {
            current = rest
                .split([' ', '<'])
                .next()
                .filter(|name| name.ends_with("Error"));
        } else if line == "}" {
            current = None;
        }
        let variant = line
            .strip_prefix("    ")
            .filter(|rest| rest.starts_with(char::is_uppercase));
        if let (Some(name), Some(variant)) = (current, variant) {
            let variant = variant
                .split([' ', '(', '{', ','])
                .next()
                .unwrap_or_default();
            found.push(format!("{name}::{variant}"));
        }
    }
    found
}

#[test]
fn variants_of_every_shape_are_found() {
    let source = "
pub enum AnError {
    /// Docs.
    #[error(\"x\")]
    Unit,
    Tuple(#[from] Other),
    Fields {
        Field: u8,
    },
}
pub enum Kind {
    Other,
}
";
    assert_eq!(
        variants(source),
        ["AnError::Unit", "AnError::Tuple", "AnError::Fields"]
    );
}
