//! Waiting for something while the broker may be away: a restart of Redis ends no wait.

use crate::failure::Failure;
use crate::progress::Progress;

/// Bears that the broker is away, and says so once.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    is_told: bool,
    away: Option<Failure>,
}

impl Patience {
    /// The answer to a look; `None` where the broker is away, so that one looks again. Any other
    /// failure ends the wait.
    pub(crate) fn bear<T>(
        &mut self,
        answer: Result<T, Failure>,
        progress: &Progress,
    ) -> Result<Option<T>, Failure> {
        match answer {
            Ok(answer) => {
                self.away = None;
                Ok(Some(answer))
            }
            Err(failure) if failure.is_unavailable() => {
                if !std::mem::replace(&mut self.is_told, true) {
                    progress.warn(&format!("{failure}; it goes on looking"));
                }
                self.away = Some(failure);
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }

    /// How a wait ends at its deadline: with the last failure, if the broker is away still.
    pub(crate) fn end(self) -> Result<(), Failure> {
        self.away.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_broker_that_is_away_is_borne_and_the_deadline_says_so() {
        let progress = Progress::open_ended("waited");
        let mut patience = Patience::default();
        let away = || Err::<u8, _>(Failure::unavailable("away"));
        assert_eq!(patience.bear(away(), &progress).unwrap(), None);
        assert!(patience.end().unwrap_err().is_unavailable());
        let mut patience = Patience::default();
        assert_eq!(patience.bear(away(), &progress).unwrap(), None);
        assert_eq!(patience.bear(Ok(7), &progress).unwrap(), Some(7));
        let denied = Err::<u8, _>(Failure::denied("no right"));
        assert!(patience.bear(denied, &progress).unwrap_err().is_denied());
        assert!(patience.end().is_ok());
    }
}
