//! The variants of the public error enums, read from the source: outside of its crate a `match`
//! over one of them is never complete, and `Debug` does not name them. A variant is known by the
//! texts of its message between what is filled in.

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
    assert!(all.len() > 25, "only {} are found", all.len());
    all.retain(|variant| !document.met.iter().any(|(of, said)| variant.says(of, said)));
    all.into_iter().map(|variant| variant.name).collect()
}

struct Variant {
    /// `ConnectError::TooOld`.
    name: String,
    texts: Vec<String>,
}

impl Variant {
    /// Whether this may be what an error of a type said.
    fn says(&self, of: &str, said: &str) -> bool {
        let mut rest = Some(said);
        for (i, text) in self.texts.iter().enumerate() {
            rest = rest.and_then(|rest| match i {
                0 => rest.strip_prefix(text.as_str()),
                _ => Some(rest.split_once(text.as_str())?.1),
            });
        }
        rest.is_some() && self.name.split("::").next() == Some(of)
    }
}

/// The variants of each `pub enum …Error` of a formatted file, but for those that say what another
/// error says.
fn variants(source: &str) -> Vec<Variant> {
    let mut found = Vec::new();
    let (mut current, mut attribute) = (None, String::new());
    for line in source.lines() {
        if let Some(rest) = line.strip_prefix("pub enum ") {
            let name = rest.split([' ', '<']).next();
            current = name.filter(|name| name.ends_with("Error"));
        } else if line == "}" {
            current = None;
        }
        if line == "    #[error(" || line.starts_with("    #[error(\"") {
            attribute.clear();
        }
        attribute.push_str(line.trim().trim_end_matches('\\'));
        let variant = line.strip_prefix("    ");
        let variant = variant.filter(|rest| rest.starts_with(char::is_uppercase));
        if let (Some(of), Some(variant)) = (current, variant) {
            let variant = variant.split([' ', '(', '{', ',']).next();
            let name = format!("{of}::{}", variant.unwrap_or_default());
            let texts = texts(&attribute);
            found.extend(texts.map(|texts| Variant { name, texts }));
            attribute.clear();
        }
    }
    found
}

/// What stands in the message of an attribute before, between and behind its `{…}`.
fn texts(attribute: &str) -> Option<Vec<String>> {
    const QUOTE: &str = "\u{0}";
    let (_, message) = attribute.split_once("#[error(")?;
    let message = message.replace("\\\"", QUOTE);
    let message = message.split('"').nth(1)?;
    let behind = |part: &str| {
        part.split_once('}')
            .map_or(part, |(_, rest)| rest)
            .to_owned()
    };
    let texts = message.split('{').map(behind);
    Some(texts.map(|text| text.replace(QUOTE, "\"")).collect())
}

#[test]
fn variants_of_every_shape_are_found() {
    let source = "
pub enum AnError {
    /// Docs.
    #[error(\"x\")]
    Unit,
    #[error(transparent)]
    Transparent(#[from] Other),
    #[error(\"{} \\\"{0}\\\"\", name())]
    Tuple(#[from] Other),
    #[error(
        \"a long \\
         one: {field}\"
    )]
    Fields {
        /// Docs.
        field: u8,
    },
}
pub enum Kind {
    Other,
}
";
    let found = variants(source);
    let found: Vec<_> = found
        .iter()
        .map(|v| (&*v.name, v.texts.join("…")))
        .collect();
    let expected = [
        ("AnError::Unit", "x"),
        ("AnError::Tuple", "… \"…\""),
        ("AnError::Fields", "a long one: …"),
    ];
    assert_eq!(
        found,
        expected.map(|(name, texts)| (name, texts.to_owned()))
    );
}

#[test]
fn a_variant_is_known_by_what_its_error_says() {
    let texts = ["", " runs Redis ", "; jobq needs 7.0"].map(str::to_owned);
    let variant = Variant {
        name: "ConnectError::TooOld".to_owned(),
        texts: texts.into(),
    };
    let said = "h:1 runs Redis 6.2; jobq needs 7.0";
    assert!(variant.says("ConnectError", said));
    assert!(!variant.says("BuildError", said));
    assert!(!variant.says("ConnectError", "h:1 runs Redis 6.2"));
}
