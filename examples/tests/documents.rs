//! The documents: what they point to is there, and what they show is compiled.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file below a folder with this extension; build output and hidden ones left out.
fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("it is a folder of the repository") {
        let path = entry.expect("it can be listed").path();
        let name = path.file_name().expect("it has a name").to_string_lossy();
        if name.starts_with('.') || name == "target" {
            continue;
        }
        if path.is_dir() {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
}

/// Targets of Markdown links that are files.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter_map(|target| target.split('#').next())
        .filter(|target| !target.is_empty() && !target.contains("://") && !target.contains(' '))
}

#[test]
fn every_link_leads_to_a_file() {
    let mut documents = Vec::new();
    files(&root(), "md", &mut documents);
    assert!(documents.len() > 5, "{documents:?}");
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        for link in links(&text) {
            let target = document.parent().unwrap().join(link);
            assert!(target.exists(), "{} links to {link}", document.display());
        }
    }
}

/// The heading's anchor, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading
        .trim()
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn every_link_to_a_heading_finds_it() {
    let mut documents = Vec::new();
    files(&root(), "md", &mut documents);
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        let targets = text
            .split("](")
            .skip(1)
            .filter_map(|it| it.split(')').next());
        let targets = targets.filter(|target| !target.contains("://") && !target.contains(' '));
        for (path, wanted) in targets.filter_map(|target| target.split_once('#')) {
            let page = match path {
                "" => text.clone(),
                _ => fs::read_to_string(document.parent().unwrap().join(path)).unwrap(),
            };
            let headings = page.lines().filter(|line| line.starts_with('#'));
            let found = headings
                .map(|line| anchor(line.trim_start_matches('#')))
                .any(|it| it == wanted);
            assert!(found, "{} links to {path}#{wanted}", document.display());
        }
    }
}

/// Every page of the guide, but for its index.
fn pages() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    files(&root().join("docs/guide"), "md", &mut pages);
    pages.retain(|page| !page.ends_with("README.md"));
    pages
}

#[test]
fn every_page_of_the_guide_is_compiled_and_stands_in_its_index() {
    let compiled = fs::read_to_string(root().join("examples/src/lib.rs")).unwrap();
    let index = fs::read_to_string(root().join("docs/guide/README.md")).unwrap();
    assert!(!pages().is_empty());
    for page in pages() {
        let name = page.file_name().unwrap().to_str().unwrap();
        assert!(
            compiled.contains(&format!("docs/guide/{name}\")")),
            "{name}"
        );
        assert!(index.contains(&format!("]({name})")), "{name}");
    }
}

#[test]
fn the_files_of_the_guides_crate_stand_in_its_pages() {
    let text = |page: PathBuf| fs::read_to_string(page).unwrap();
    let pages: String = pages().into_iter().map(text).collect();
    let mut sources = Vec::new();
    files(&root().join("examples/hello"), "rs", &mut sources);
    assert!(sources.len() > 1, "{sources:?}");
    for source in sources {
        let block = format!("\n{}```", fs::read_to_string(&source).unwrap());
        assert!(pages.contains(&block), "{}", source.display());
    }
}

/// Programs that a page shows whole, but for the header that says how to start them.
const SHOWN: [&str; 1] = ["once_redis.rs"];

#[test]
fn the_programs_that_a_page_shows_are_the_examples() {
    let pages: String = pages()
        .into_iter()
        .map(|page| fs::read_to_string(page).unwrap())
        .collect();
    for name in SHOWN {
        let source = fs::read_to_string(root().join("examples").join(name)).unwrap();
        let header = |line: &&str| line.starts_with("//!");
        let body: Vec<_> = source.lines().skip_while(header).collect();
        let block = format!("\n{}\n```", body.join("\n").trim());
        assert!(pages.contains(&block), "{name}");
    }
}

#[test]
fn every_source_file_that_a_document_names_exists() {
    let mut sources = Vec::new();
    files(&root(), "rs", &mut sources);
    files(&root(), "lua", &mut sources);
    let mut documents = vec![root().join("ARCHITECTURE.md"), root().join("README.md")];
    files(&root().join("docs"), "md", &mut documents);
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        // Between backticks stands every second part.
        for name in text.split('`').skip(1).step_by(2) {
            let is_path = name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "/_.-".contains(c));
            if is_path && (name.ends_with(".rs") || name.ends_with(".lua")) {
                let exists = sources.iter().any(|source| source.ends_with(name));
                assert!(exists, "{} names {name}", document.display());
            }
        }
    }
}
