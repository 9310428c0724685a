use jobq::JobId;

use super::*;
use crate::census::Element;
use crate::history::History;
use crate::ledger::Event;

/// A job's history and where it lies.
struct Case {
    history: History,
    census: Census,
    id: JobId,
    at: u64,
}

impl Case {
    fn new() -> Self {
        let (history, census, id) = (History::default(), Census::default(), JobId::new());
        let at = 0;
        Self {
            history,
            census,
            id,
            at,
        }
        .event(Event::Intent { id, due: 0 })
    }

    fn due(self, due: u64) -> Self {
        let id = self.id;
        self.event(Event::Intent { id, due })
    }

    fn event(mut self, event: Event) -> Self {
        self.at += 1;
        self.history.push(self.at, 1, event);
        self
    }

    fn accepted(self) -> Self {
        let id = self.id;
        self.event(Event::Accepted { id })
    }

    fn refused(self) -> Self {
        let id = self.id;
        self.event(Event::Refused { id })
    }

    fn started(self, attempt: u32) -> Self {
        let id = self.id;
        self.event(Event::Start { id, attempt })
    }

    fn ended(self) -> Self {
        let (id, attempt) = (self.id, 1);
        self.started(attempt).event(Event::End { id, attempt })
    }

    fn claimed(self, token: &str) -> Self {
        let asked = self.at;
        self.claim_asked(asked, token)
    }

    fn claim_asked(self, asked: u64, token: &str) -> Self {
        let id = self.id;
        let [queue, worker, token] = ["q", "w", token].map(str::to_owned);
        self.event(Event::Claimed {
            queue,
            worker,
            token,
            id,
            asked,
        })
    }

    fn settling(self, token: &str, action: &str) -> Self {
        let [queue, worker, token, action] = ["q", "w", token, action].map(str::to_owned);
        self.event(Event::Settling {
            queue,
            worker,
            token,
            action,
        })
    }

    fn settled(self, token: &str, action: &str, answer: &str) -> Self {
        let asked = self.at;
        let [queue, worker, token, action, answer] =
            ["q", "w", token, action, answer].map(str::to_owned);
        self.event(Event::Settled {
            asked,
            queue,
            worker,
            token,
            action,
            answer,
        })
    }

    fn acked(self, token: &str) -> Self {
        self.claimed(token).settled(token, "ack", "accepted")
    }

    fn adopted(self) -> Self {
        let id = self.id;
        let [queue, worker, token, target] = ["q", "other", "1.1", "w"].map(str::to_owned);
        self.event(Event::Adopted {
            queue,
            worker,
            token,
            id,
            target,
        })
    }

    fn paused(self, on: bool) -> Self {
        let queue = "q".to_owned();
        self.event(Event::Paused { queue, on })
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
        let jobs = || Jobs::of(&self.history);
        let check = Check {
            before: jobs(),
            jobs: jobs(),
            paused: pauses::violations(&self.history),
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
        Case::new().refused(),
        Case::new().accepted().lies(Place::Ready),
        Case::new().accepted().ended(),
        Case::new().accepted().ended().lies(Place::Ready),
        Case::new().accepted().ended().acked("1.1"),
        Case::new().accepted().ended().acked("1.1").adopted(),
        Case::new()
            .accepted()
            .ended()
            .claimed("1.1")
            .adopted()
            .settled("1.1", "ack", "stale"),
        Case::new()
            .accepted()
            .lies(Place::Dead("crashed".to_owned())),
        Case::new()
            .claimed("1.1")
            .started(1)
            .settling("1.1", "retry")
            .started(2),
        Case::new()
            .claimed("1.1")
            .started(1)
            .settling("1.1", "retry")
            .started(1),
        Case::new()
            .due(4)
            .event(Event::Reaped {
                worker: "w".to_owned(),
            })
            .started(1),
        Case::new().paused(true).paused(false).claimed("1.1"),
        // On its way when the pause ended.
        Case::new()
            .paused(true)
            .due(0)
            .paused(false)
            .claim_asked(3, "1.1"),
    ];
    for (i, case) in sound.into_iter().enumerate() {
        assert_eq!(case.broken(), Vec::<String>::new(), "{i}");
    }
}

#[test]
fn every_violation_is_found() {
    let done = || Case::new().accepted().ended();
    let stranger = Case {
        id: JobId::new(),
        ..Case::new()
    };
    let waiting = || Case::new().accepted().lies(Place::Ready);
    let retried = || {
        Case::new()
            .claimed("1.1")
            .started(1)
            .settling("1.1", "retry")
    };
    let broken = [
        ("I1", stranger.lies(Place::Ready)),
        ("I1", Case::new().refused().lies(Place::Ready)),
        ("I1", Case::new().refused().started(1)),
        ("I2", waiting().lies(Place::Delayed)),
        ("I2", waiting().lies(Place::Ready)),
        ("I2", done().acked("1.1").lies(Place::Ready)),
        ("I3", Case::new().accepted()),
        ("I3", Case::new().accepted().claimed("1.1").started(1)),
        ("I3", Case::new().accepted().started(1).acked("1.1")),
        ("I4", done().acked("1.1").settled("1.1", "ack", "accepted")),
        ("I4", done().acked("1.1").acked("2.1")),
        (
            "I4",
            done()
                .claimed("1.1")
                .adopted()
                .started(1)
                .settled("1.1", "ack", "accepted"),
        ),
        ("I6", Case::new().started(2)),
        ("I6", retried().started(3)),
        (
            "I6",
            retried().settled("1.1", "retry", "accepted").started(1),
        ),
        ("I8", Case::new().due(1_000).started(1)),
        ("I12", Case::new().paused(true).started(1).claimed("1.1")),
    ];
    for (name, case) in broken {
        let found = case.broken();
        assert!(found.iter().any(|one| one == name), "{name}: {found:?}");
    }
}

#[test]
fn what_is_left_when_nobody_is_there_is_found() {
    let census = |keys: &[&str]| Census {
        keys: keys.iter().map(|&key| key.to_owned()).collect(),
        ..Census::default()
    };
    let rest = ["queues", "workers", "{q}:meta", "{q}:dead", "{q}:totals"];
    assert_eq!(census(&rest).leftovers(), Vec::<String>::new());
    for key in ["{q}:inflight:w", "{q}:workers", "{q}:ready", "other"] {
        assert_eq!(census(&[key]).leftovers().len(), 1, "{key}");
    }
}

/// Starts of jobs by time: which, in which process; what else happened then.
fn harm(events: &[(u64, usize, Event)]) -> Harm {
    let mut history = History::default();
    for (at, actor, event) in events {
        history.push(*at, *actor, event.clone());
    }
    Harm::of(&history, &Jobs::of(&history))
}

#[test]
fn a_start_that_nothing_explains_and_an_adoption_of_the_living_are_found() {
    let id = JobId::new();
    let start = || Event::Start { id, attempt: 1 };
    let reaped = || Event::Reaped {
        worker: "w".to_owned(),
    };
    let kill = Event::Killed { actor: 1 };
    let stop = Event::Fault {
        actor: 1,
        what: "STOP".to_owned(),
    };
    let killed = harm(&[(1, 1, start()), (5, 0, kill), (9, 2, start())]);
    assert_eq!((killed.most_again(), &*killed.waited), (1, &[4][..]));
    assert!(killed.unexplained.is_empty());

    let stopped = harm(&[
        (1, 1, start()),
        (5, 0, stop),
        (9, 2, start()),
        (9, 1, reaped()),
    ]);
    assert!(stopped.unexplained.is_empty());
    assert_eq!((stopped.reaped, stopped.false_adoptions), (1, 0));

    let nothing = harm(&[(1, 1, start()), (9, 2, start()), (9, 1, reaped())]);
    assert_eq!(nothing.unexplained.len(), 1);
    assert_eq!(nothing.false_adoptions, 1);

    let [queue, worker, token, target] = ["q", "other", "2.1", "w"].map(str::to_owned);
    let adopted = Event::Adopted {
        queue,
        worker,
        token,
        id,
        target,
    };
    let [queue, worker, token] = ["q", "w", "1.1"].map(str::to_owned);
    let claimed = Event::Claimed {
        queue,
        worker,
        token,
        id,
        asked: 1,
    };
    let never_told = harm(&[(1, 1, claimed.clone()), (9, 2, adopted.clone())]);
    assert_eq!(never_told.false_adoptions, 1);
    let kill = Event::Killed { actor: 1 };
    let dead = harm(&[(1, 1, claimed), (5, 0, kill), (9, 2, adopted)]);
    assert_eq!(dead.false_adoptions, 0);
}

#[test]
fn jobs_that_overtook_others_are_counted() {
    let ids: Vec<_> = (0..3).map(|_| JobId::new()).collect();
    let disorder = |starts: [u64; 3]| {
        let mut history = History::default();
        for (&id, start) in ids.iter().zip(starts) {
            history.push(1, 1, Event::Intent { id, due: 0 });
            history.push(start, 2, Event::Start { id, attempt: 1 });
        }
        Jobs::of(&history).out_of_order(&history)
    };
    assert_eq!(disorder([5, 6, 7]), 0);
    assert_eq!(disorder([5, 7, 6]), 1);
    assert_eq!(disorder([7, 5, 6]), 2);
}
