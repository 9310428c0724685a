use jobq::JobId;

use super::*;
use crate::census::Element;
use crate::ledger::Event;

struct Case {
    history: History,
    census: Census,
    id: JobId,
}

impl Case {
    fn new() -> Self {
        let (history, census, id) = (History::default(), Census::default(), JobId::new());
        Self {
            history,
            census,
            id,
        }
        .event(Event::Intent { id, due: 0 })
    }

    fn event(mut self, event: Event) -> Self {
        self.history.push(1, 1, event);
        self
    }

    fn accepted(self) -> Self {
        let id = self.id;
        self.event(Event::Accepted { id })
    }

    fn ended(self) -> Self {
        let id = self.id;
        self.event(Event::Start { id, attempt: 1 })
            .event(Event::End { id, attempt: 1 })
    }

    fn claimed(self, token: &str) -> Self {
        let id = self.id;
        let (worker, token) = ("w".to_owned(), token.to_owned());
        self.event(Event::Claimed {
            worker,
            token,
            id,
            asked: 1,
        })
    }

    fn settled(self, token: &str, action: &str, answer: &str) -> Self {
        let [worker, token, action, answer] = ["w", token, action, answer].map(str::to_owned);
        self.event(Event::Settled {
            worker,
            token,
            action,
            answer,
        })
    }

    fn lies(mut self, place: Place) -> Self {
        self.census.elements.push(Element {
            queue: "q".to_owned(),
            place,
            id: Some(self.id),
            crashes: 0,
        });
        self
    }

    /// The names of the invariants that are broken.
    fn broken(self) -> Vec<String> {
        let check = Check {
            jobs: Jobs::of(&self.history),
            census: self.census,
        };
        let names = check.violations().into_iter();
        names
            .map(|text| text.split(':').next().unwrap().to_owned())
            .collect()
    }
}

#[test]
fn sound_histories_are_sound() {
    let sound = [
        Case::new(),
        Case::new().lies(Place::Ready),
        Case::new().accepted().lies(Place::Ready),
        Case::new().accepted().ended(),
        Case::new().accepted().ended().lies(Place::Ready),
        Case::new()
            .accepted()
            .claimed("1.1")
            .ended()
            .settled("1.1", "ack", "accepted"),
        Case::new()
            .accepted()
            .lies(Place::Dead("crashed".to_owned())),
    ];
    for (i, case) in sound.into_iter().enumerate() {
        assert_eq!(case.broken(), Vec::<String>::new(), "{i}");
    }
}

#[test]
fn every_violation_is_found() {
    let acked = |case: Case, token| case.claimed(token).settled(token, "ack", "accepted");
    let stranger = Case {
        id: JobId::new(),
        ..Case::new()
    };
    let broken = [
        ("I1", stranger.lies(Place::Ready)),
        (
            "I2",
            Case::new()
                .accepted()
                .lies(Place::Ready)
                .lies(Place::Delayed),
        ),
        (
            "I2",
            Case::new().accepted().lies(Place::Ready).lies(Place::Ready),
        ),
        (
            "I2",
            acked(Case::new().accepted().ended(), "1.1").lies(Place::Ready),
        ),
        ("I3", Case::new().accepted()),
        (
            "I4",
            acked(Case::new().accepted().ended(), "1.1").settled("1.1", "ack", "accepted"),
        ),
        (
            "I4",
            acked(acked(Case::new().accepted().ended(), "1.1"), "2.1"),
        ),
    ];
    for (name, case) in broken {
        let found = case.broken();
        assert!(found.iter().any(|one| one == name), "{name}: {found:?}");
    }
}
