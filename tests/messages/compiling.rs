//! What the compiler says, from the tests of the macros: the error, the line, the notes.

use std::fs;
use std::path::Path;

use crate::document::Document;

pub(crate) fn collect(document: &mut Document) {
    document.group("compiling (jobq-macros/tests/ui/fail)");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../jobq-macros/tests/ui/fail");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let mut files: Vec<_> = files.collect();
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "stderr")
    });
    files.sort();
    assert!(files.len() > 50, "{files:?}");
    for file in files {
        let name = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        document.lines(&name, &told(&fs::read_to_string(&file).unwrap()));
    }
}

/// The errors, what they point at, and the notes: without places, frames and the compiler's own
/// explanations.
fn told(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut kept = Vec::new();
    let mut pointed = false;
    for (i, line) in lines.iter().enumerate() {
        let (body, next) = (behind_frame(line), lines.get(i + 1).copied());
        if line.starts_with("error") {
            pointed = false;
            kept.push((*line).to_owned());
        } else if line.trim_start().starts_with("= note: ") && !is_of_compiler(line) {
            kept.push(line.trim_start().to_owned());
        } else if !pointed
            && next
                .and_then(behind_frame)
                .is_some_and(|next| next.contains('^'))
        {
            pointed = true;
            kept.extend(body.map(|body| format!("| {body}")));
            kept.extend(next.and_then(behind_frame).map(|next| format!("| {next}")));
        }
    }
    kept.join("\n")
}

fn behind_frame(line: &str) -> Option<&str> {
    let (front, body) = line.split_once('|')?;
    let is_frame = front.trim().bytes().all(|byte| byte.is_ascii_digit());
    is_frame.then(|| body.strip_prefix(' ').unwrap_or(body))
}

fn is_of_compiler(note: &str) -> bool {
    ["originates in", "required for", "= note: if you want"]
        .iter()
        .any(|words| note.contains(words))
}

#[test]
fn errors_are_kept_with_what_they_point_at_and_our_notes() {
    let text = "\
error: `#[job]` goes on a function
 --> tests/ui/fail/on_a_module.rs:4:1
  |
4 | mod jobs {}
  | ^^^
  |
  = note: a note
  = note: this error originates in the attribute macro `job`
";
    let expected = "\
error: `#[job]` goes on a function
| mod jobs {}
| ^^^
= note: a note";
    assert_eq!(told(text), expected);
}
