//! An example, running.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// An example to be started. It gets none of this process's `JOBQ_…` variables.
pub(crate) struct Program {
    name: &'static str,
    command: Command,
}

/// One that was started; it is killed should the test end before it.
pub(crate) struct Running {
    name: &'static str,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    output: Vec<String>,
}

impl Program {
    pub(crate) fn new(name: &'static str) -> Self {
        // The shell joins both outputs into one, in their order, and becomes the program.
        let mut command = Command::new("sh");
        command
            .args(["-c", "exec \"$0\" \"$@\" 2>&1"])
            .arg(path(name));
        for (variable, _) in std::env::vars_os() {
            if variable.as_encoded_bytes().starts_with(b"JOBQ_") {
                command.env_remove(variable);
            }
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        Self { name, command }
    }

    pub(crate) fn arg(&mut self, arg: impl AsRef<OsStr>) -> &mut Self {
        self.command.arg(arg);
        self
    }

    pub(crate) fn args<const N: usize>(&mut self, args: [&str; N]) -> &mut Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(&mut self, name: &str, value: impl AsRef<OsStr>) -> &mut Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn start(&mut self) -> Running {
        let mut child = self.command.spawn().expect("there is a shell");
        let output = child.stdout.take().expect("it is piped");
        Running {
            name: self.name,
            child,
            lines: BufReader::new(output).lines(),
            output: Vec::new(),
        }
    }
}

impl Running {
    /// Waits for a line that contains `wanted`.
    pub(crate) async fn line(&mut self, wanted: &str) -> String {
        let what = format!("{wanted:?} from {}", self.name);
        support::within(&what, async {
            while let Some(line) = self.lines.next_line().await.expect("UTF-8") {
                self.output.push(line.clone());
                if line.contains(wanted) {
                    return line;
                }
            }
            panic!("{} ended without {wanted:?}: {:#?}", self.name, self.output);
        })
        .await
    }

    /// Waits for its end, which must be a success; all that it said, from the start.
    pub(crate) async fn succeed(mut self) -> Vec<String> {
        let what = format!("the end of {}", self.name);
        let status = support::within(&what, async {
            while let Some(line) = self.lines.next_line().await.expect("UTF-8") {
                self.output.push(line);
            }
            self.child.wait().await.expect("it is our child")
        })
        .await;
        assert!(
            status.success(),
            "{} ended with {status}: {:#?}",
            self.name,
            self.output
        );
        self.output
    }

    /// SIGTERM.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    /// SIGINT, as by Ctrl-C.
    pub(crate) fn interrupt(&self) {
        self.signal("INT");
    }

    fn signal(&self, name: &str) {
        let process = self.child.id().expect("it was not waited for");
        support::signal(process, name);
    }
}

/// Cargo builds the examples before the tests of their package, beside them, unless it is told to
/// run one of these alone.
pub(crate) fn path(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("it runs");
    let profile = test.ancestors().nth(2).expect("it lies in deps");
    let path = profile.join("examples").join(name);
    assert!(
        path.exists(),
        "no {}; `cargo build -p jobq-examples --examples` builds it",
        path.display()
    );
    path
}
