//! The one source of chance in a worker: the jitter of its waits and of its retries. A simulation
//! puts its own in its place, so that a run can be repeated.

use std::cell::RefCell;

/// Gives uniform numbers from `0.0..1.0`.
type Source = Box<dyn FnMut() -> f64>;

thread_local! {
    static SOURCE: RefCell<Option<Source>> = const { RefCell::new(None) };
}

/// A uniform number from `0.0..1.0`.
pub(crate) fn draw() -> f64 {
    SOURCE.with_borrow_mut(|source| match source {
        Some(draw) => draw(),
        None => rand::random(),
    })
}

/// Has all that runs on this thread draw from `source`; `None` has it draw at random again.
pub fn replace(source: Option<Source>) {
    SOURCE.set(source);
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    fn sources(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        entries
            .flat_map(|entry| match entry.file_type().unwrap().is_dir() {
                true => sources(&entry.path()),
                false => vec![entry.path()],
            })
            .collect()
    }

    /// Else it draws which branch it looks at first, from a source of its own.
    #[test]
    fn each_select_states_its_order() {
        let files = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
        let mut selects = 0;
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            for select in text.split(concat!("select", "! {")).skip(1) {
                assert!(
                    select.trim_start().starts_with("biased;"),
                    "{}",
                    file.display()
                );
                selects += 1;
            }
        }
        assert!(selects > 5, "{selects}");
    }
}
