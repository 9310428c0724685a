//! The states of a job on the command line.

use std::fmt;

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use jobq::JobState;

/// Where jobs are looked at. (Comments on the variants would be help, and stretch all of it.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum State {
    Ready,
    Suspects,
    Delayed,
    #[value(alias = "in_flight")]
    InFlight,
    Dead,
}

impl State {
    /// All of them, in the order in which a job is looked for.
    pub(crate) const ALL: [Self; 5] = [
        Self::InFlight,
        Self::Delayed,
        Self::Dead,
        Self::Suspects,
        Self::Ready,
    ];

    /// Reads those that can be emptied: what is in flight is its worker's.
    pub(crate) fn emptied() -> impl TypedValueParser<Value = Self> {
        let states = [Self::Ready, Self::Suspects, Self::Delayed, Self::Dead];
        let names = PossibleValuesParser::new(states.map(Self::as_str));
        names.try_map(|name| Self::from_str(&name, false))
    }

    /// The word for it in JSON.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Suspects => "suspects",
            Self::Delayed => "delayed",
            Self::InFlight => "in_flight",
            Self::Dead => "dead",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_str().replace('_', " "))
    }
}

impl From<State> for JobState {
    fn from(state: State) -> Self {
        match state {
            State::Ready => Self::Ready,
            State::Suspects => Self::Suspect,
            State::Delayed => Self::Delayed,
            State::InFlight => Self::InFlight,
            State::Dead => Self::Dead,
        }
    }
}
