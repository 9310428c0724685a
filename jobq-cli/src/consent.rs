//! Whether a change may be made: `--read-only` refuses every one, and what destroys is asked about
//! on a terminal, and needs `--yes` where nobody can be asked.

use std::io::{self, IsTerminal as _, Write as _};

use jobq::QueueName;

use crate::failure::{EXIT_JOB, Failure};
use crate::flags::Global;
use crate::interrupt::Interrupt;
use crate::output::printable;

/// Queues that a question names, before it says how many more there are.
const NAMED: usize = 10;

/// What the command line allows.
#[derive(Debug, Clone)]
pub(crate) struct Consent {
    read_only: bool,
    yes: bool,
    /// Where it would be done: whoever is asked may have several servers.
    place: String,
}

impl Consent {
    /// `broker` is its description, which has no secret.
    pub(crate) fn new(global: &Global, broker: &str) -> Self {
        Self {
            read_only: global.read_only,
            yes: global.yes,
            place: printable(&broker.replacen("?namespace=", ", namespace ", 1)),
        }
    }

    /// Before any change, and before what it is made to is looked up: a refusal does not depend on whether
    /// that is there. `what` would be done, as in "pause mail".
    pub(crate) fn to_change(&self, what: &str) -> Result<(), Failure> {
        match self.read_only {
            true => Err(Failure::denied(format!(
                "--read-only refuses to {what}; nothing was changed"
            ))),
            false => Ok(()),
        }
    }

    /// Whether a person will be asked, and so wants to know of how much.
    pub(crate) fn asks(&self) -> bool {
        !self.yes && is_asked()
    }

    /// Before a change that cannot be taken back. `what` is text that may be printed.
    pub(crate) async fn to_destroy(
        &self,
        what: &str,
        interrupt: &Interrupt,
    ) -> Result<(), Failure> {
        self.to_change(what)?;
        if self.yes {
            return Ok(());
        }
        if !is_asked() {
            return Err(Failure::usage(format!(
                "refused to {what}: there is no terminal to ask on; --yes goes on without asking"
            )));
        }
        let _ = write!(io::stderr(), "{what} ({})? [y/N] ", self.place);
        let answer = tokio::task::spawn_blocking(|| {
            let mut answer = String::new();
            io::stdin().read_line(&mut answer).map(|_| answer)
        });
        let answer = tokio::select! {
            answer = answer => answer,
            () = interrupt.reached() => {
                let _ = writeln!(io::stderr());
                return Err(Failure::quiet(EXIT_JOB));
            }
        };
        match answer {
            Ok(Ok(answer)) if is_yes(&answer) => Ok(()),
            _ => Err(Failure::job("nothing was changed")),
        }
    }
}

/// Queues as a question names them.
pub(crate) fn named<'a>(queues: impl IntoIterator<Item = &'a QueueName>) -> String {
    let names: Vec<&str> = queues.into_iter().map(QueueName::as_str).collect();
    match names.len() {
        0 => "no queue".to_owned(),
        all if all > NAMED => format!("{} and {} more", names[..NAMED].join(", "), all - NAMED),
        _ => names.join(", "),
    }
}

/// The question stands on standard error: the output may go elsewhere.
fn is_asked() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_names_some_queues_and_counts_the_others() {
        let names = |count| {
            let names = (0..count).map(|n| QueueName::new(format!("q{n}")).unwrap());
            named(&names.collect::<Vec<_>>())
        };
        assert_eq!(names(0), "no queue");
        assert_eq!(names(2), "q0, q1");
        assert!(names(10).ends_with("q8, q9"));
        assert!(names(12).ends_with("q9 and 2 more"));
    }

    #[test]
    fn only_a_clear_yes_is_one() {
        for yes in ["y", "Y\n", " yes \r\n", "YES"] {
            assert!(is_yes(yes), "{yes:?}");
        }
        for no in ["", "\n", "n", "yess", "ye", "1", "ja"] {
            assert!(!is_yes(no), "{no:?}");
        }
    }
}
