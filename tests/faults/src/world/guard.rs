//! Sees to it that no process outlives the one that started it, however that ends.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// Kept up to date with the children; at the end of its input it kills those that are left.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
children=' '
while read -r sign child; do
    case $sign in
    +) children="$children$child " ;;
    -) children="${children%% "$child" *} ${children#* "$child" }" ;;
    =) keep=1 ;;
    esac
done
[ "$children" = ' ' ] || kill -9 $children 2>/dev/null
[ -n "$keep" ] || rm -rf "$1"
"#;

/// A process that sees this one end, and then ends its children.
#[derive(Debug)]
pub(super) struct Guard {
    process: Mutex<Child>,
    input: Mutex<Option<ChildStdin>>,
}

impl Guard {
    /// One without children yet. It removes the folder in the end.
    pub(super) fn new(folder: &Path) -> Self {
        let mut process = Command::new("sh")
            .args(["-c", SCRIPT, "guard"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("there is a shell");
        let input = Mutex::new(process.stdin.take());
        Self {
            process: Mutex::new(process),
            input,
        }
    }

    /// A child was started.
    pub(super) fn add(&self, child: u32) {
        self.tell(&format!("+ {child}\n"));
    }

    /// A child has ended, and its id is about to be free for others.
    pub(super) fn remove(&self, child: u32) {
        self.tell(&format!("- {child}\n"));
    }

    /// The folder is to stay.
    pub(super) fn keep_folder(&self) {
        self.tell("= 0\n");
    }

    fn tell(&self, line: &str) {
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        // Without a guard nobody would end the children of a process that is killed.
        let input = input.as_mut().expect("it is there until the end");
        input.write_all(line.as_bytes()).expect("the guard listens");
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(
            self.input
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        // An error means that it has ended already.
        let process = self
            .process
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        let _ = process.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use support::Folder;

    use super::*;

    fn child() -> Child {
        Command::new("sleep").arg("600").spawn().unwrap()
    }

    #[test]
    fn children_end_with_the_process_that_started_them_and_nobody_else_does() {
        let folder = Folder::new();
        let guard = Guard::new(folder.path());
        let (mut first, mut left, mut second) = (child(), child(), child());
        guard.add(first.id());
        guard.add(left.id());
        guard.add(second.id());
        guard.remove(left.id());
        // What the end of this process does to the guard.
        drop(guard);
        for child in [&mut first, &mut second] {
            assert_eq!(child.wait().unwrap().signal(), Some(9));
        }
        assert_eq!(left.try_wait().unwrap(), None, "it is no child any more");
        left.kill().unwrap();
        left.wait().unwrap();
        assert!(!folder.path().exists());
    }
}
