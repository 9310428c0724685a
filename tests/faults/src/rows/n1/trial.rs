//! One step, undisturbed and cut at each of its bytes.

use std::time::{Duration, Instant};

use jobq_proxy::{Cut, Direction, Ending};
use tokio::time::timeout;

use super::bench::{Bench, TIMEOUT};
use super::hand::{Certainty, Hand};
use super::steps::Step;
use super::store::Store;
use crate::row::Figures;

/// How long a call may take before it counts as hung: five times its own time limit.
const HUNG: Duration = Duration::from_secs(10);

/// How often a step is sent that is not answered.
const SENT: u32 = 20;

/// Places of one kind that are told in full.
const TOLD: usize = 5;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Tally {
    steps: u32,
    places: u64,
    /// Cuts that came before the step was answered.
    unanswered: u64,
    hung: Vec<String>,
    /// Calls that waited for their time limit although the connection had ended.
    late: u64,
    wrong: Vec<String>,
    lost: usize,
    doubled: usize,
    slowest: Duration,
}

impl Tally {
    /// The figures.
    ///
    /// # Panics
    ///
    /// When a cut did harm.
    pub(super) fn judged(self) -> Figures {
        let harm: Vec<_> = self.hung.iter().chain(&self.wrong).take(TOLD).collect();
        assert!(
            harm.is_empty(),
            "{} of {} cuts did harm, {} calls hung: {harm:#?}",
            self.hung.len() + self.wrong.len(),
            self.places,
            self.hung.len()
        );
        Figures::new()
            .with("steps", self.steps)
            .with("cut points", self.places)
            .with("left without an answer", self.unanswered)
            .with("lost", self.lost)
            .with("double effects", self.doubled)
            .with("hung calls", self.hung.len())
            .with("noticed by time limit only", self.late)
            .with("slowest call, ms", self.slowest.as_millis())
    }
}

/// What a step has, and leaves.
#[derive(Debug)]
struct Undisturbed {
    request: u64,
    reply: u64,
    store: Store,
}

/// Cuts a step at every `stride`th byte, beginning with one that the seed chooses, and at the
/// first and the last.
pub(super) async fn cut_everywhere(
    bench: &mut Bench,
    step: &Step,
    stride: u64,
    seed: u64,
    tally: &mut Tally,
) {
    tally.steps += 1;
    let expected = undisturbed(bench, step).await;
    for direction in Direction::BOTH {
        let bytes = match direction {
            Direction::Request => expected.request,
            Direction::Reply => expected.reply,
        };
        let (first, last) = (seed % stride, bytes);
        let places = (first..=last).step_by(usize::try_from(stride).unwrap_or(1));
        let mut places: Vec<u64> = places.chain([0, last - 1, last]).collect();
        places.sort_unstable();
        places.dedup();
        for place in places {
            for ending in [Ending::Finish, Ending::Reset] {
                let cut = (direction, Cut::after(place, ending));
                let name = || format!("{}: {direction:?} {place}/{bytes} {ending:?}", step.name);
                tried(bench, step, cut, &expected.store, &name, tally).await;
            }
        }
    }
}

async fn undisturbed(bench: &mut Bench, step: &Step) -> Undisturbed {
    let mut hand = bench.hand().await;
    (step.before)(&mut hand).await;
    let before = bench.proxy.carried();
    let done = timeout(HUNG, (step.act)(&mut hand)).await;
    done.expect("undisturbed, it is done")
        .expect("undisturbed, it is answered");
    let carried = bench.proxy.carried() - before;
    goes_on(step, &mut hand, true)
        .await
        .expect("undisturbed, it goes on");
    Undisturbed {
        request: carried.request,
        reply: carried.reply,
        store: store(bench, &hand).await,
    }
}

async fn tried(
    bench: &mut Bench,
    step: &Step,
    (direction, cut): (Direction, Cut),
    expected: &Store,
    name: &impl Fn() -> String,
    tally: &mut Tally,
) {
    let mut hand = bench.hand().await;
    (step.before)(&mut hand).await;
    let before = bench.proxy.carried();
    bench.proxy.cut(direction, cut);
    let began = Instant::now();
    let acted = timeout(HUNG, (step.act)(&mut hand)).await;
    let took = began.elapsed();
    let was_cut = (bench.proxy.carried() - before).cuts > 0;
    bench.proxy.heal().await;
    tally.places += 1;
    tally.slowest = tally.slowest.max(took);
    tally.late += u64::from(took >= TIMEOUT);
    let answered = match acted {
        Err(_) => {
            tally.hung.push(format!("{}: hung", name()));
            return;
        }
        Ok(Ok(())) => true,
        Ok(Err(error)) if error.is_retryable() && was_cut => false,
        Ok(Err(error)) => {
            tally.wrong.push(format!("{}: {error:?}", name()));
            return;
        }
    };
    tally.unanswered += u64::from(!answered);
    if let Err(why) = goes_on(step, &mut hand, answered).await {
        tally.wrong.push(format!("{}: {why}", name()));
        return;
    }
    let found = store(bench, &hand).await;
    if let Some(Wrong { what, why }) = wrong(&hand, &found, expected) {
        *match what {
            Harm::Lost => &mut tally.lost,
            Harm::Doubled => &mut tally.doubled,
        } += 1;
        tally.wrong.push(format!("{}: {what:?}: {why}", name()));
    }
}

/// Sends the step again until it is answered, and gives back what is unknown.
async fn goes_on(step: &Step, hand: &mut Hand, mut answered: bool) -> Result<(), String> {
    for _ in 0..SENT {
        let reconciled = timeout(HUNG, hand.reconcile()).await;
        match reconciled.map_err(|_| "reconciling hung")? {
            Err(error) if error.is_retryable() => continue,
            reconciled => reconciled.map_err(|error| format!("reconciling: {error:?}"))?,
        }
        if answered || !step.is_sent_again {
            let after = timeout(HUNG, (step.after)(hand)).await;
            let after = after.map_err(|_| "what follows hung")?;
            return after.map_err(|error| format!("what follows: {error:?}"));
        }
        hand.resent = true;
        let acted = timeout(HUNG, (step.act)(hand)).await;
        answered = match acted.map_err(|_| "sent again, it hung")? {
            Err(error) if error.is_retryable() => false,
            Err(error) => return Err(format!("sent again: {error:?}")),
            Ok(()) => true,
        };
    }
    Err(format!("not answered, sent {SENT} times"))
}

async fn store(bench: &mut Bench, hand: &Hand) -> Store {
    bench.take_store().await.named(hand.queue.as_str(), "queue")
}

/// What a cut did.
#[derive(Debug, Clone, Copy)]
enum Harm {
    /// Less is there than there should be.
    Lost,
    /// As much or more.
    Doubled,
}

#[derive(Debug)]
struct Wrong {
    what: Harm,
    why: String,
}

/// What is wrong with what was found, if anything is.
fn wrong(hand: &Hand, found: &Store, expected: &Store) -> Option<Wrong> {
    let mut accepted = hand.accepted.clone();
    accepted.sort_by_key(|token| (token.claim, token.index));
    accepted.dedup();
    if accepted.len() < hand.accepted.len() {
        let why = format!("settled twice: {:?}", hand.accepted);
        return Some(Wrong {
            what: Harm::Doubled,
            why,
        });
    }
    if hand.enqueued.is_empty() {
        let what = match found.len() < expected.len() {
            true => Harm::Lost,
            false => Harm::Doubled,
        };
        let why = format!("{found:?}\ninstead of {expected:?}");
        return (found != expected).then_some(Wrong { what, why });
    }
    hand.enqueued.iter().find_map(|(id, certainty)| {
        let bytes = id.as_bytes().iter().copied().map(char::from);
        let times = found.count(&bytes.collect::<String>());
        let what = match (certainty, times) {
            (Certainty::Enqueued, 0) => Harm::Lost,
            (Certainty::Enqueued | Certainty::Unknown, 2..) | (Certainty::Not, 1..) => {
                Harm::Doubled
            }
            _ => return None,
        };
        let why = format!("enqueue said {certainty:?}, and it is there {times} times");
        Some(Wrong { what, why })
    })
}
