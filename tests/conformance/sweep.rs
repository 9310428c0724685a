//! adopt, of one who is no member: handed a job after its end, by a blocking call that was slow.

use jobq::JobState;
use jobq::broker::Adopted;

use crate::fixture::{Fixture, dead_and_reaper, numbered, strs, taken};

/// A blocking call that was slow on its way can run after its worker was adopted.
pub(crate) async fn the_sweep_puts_back_what_was_handed_after_the_end(f: Fixture) {
    let (dead, mut reaper) = dead_and_reaper(&f, &["a"]).await;
    reaper.adopt_all(&dead).await;
    f.enqueue(&["late"]).await;
    dead.be_handed(1).await;
    assert!(f.owners().await.contains(&dead.id));
    let (grant, more) = taken(reaper.adopt(&dead.id, None, 10).await);
    assert_eq!((grant.envelopes.len(), more), (0, false));
    assert_eq!(f.names(JobState::Ready).await, ["late"]);
    assert!(!f.owners().await.contains(&dead.id));
}

pub(crate) async fn a_sweep_in_parts_goes_on_as_any_other(f: Fixture) {
    let (orphan, mut reaper) = (f.worker(), f.member().await);
    f.enqueue(&strs(&numbered(1000))).await;
    orphan.be_handed(1000).await;
    f.enqueue(&["late"]).await;
    orphan.be_handed(1).await;
    let (_, more) = taken(reaper.adopt(&orphan.id, None, 1).await);
    assert!(more);
    assert_eq!(f.counter(&orphan.id).await, Some(0));
    let (_, more) = taken(reaper.adopt(&orphan.id, None, 1).await);
    assert!(!more);
    assert_eq!(f.counter(&orphan.id).await, None);
}

pub(crate) async fn the_sweep_refuses_a_member(f: Fixture) {
    let (dead, mut reaper) = dead_and_reaper(&f, &["a"]).await;
    assert_eq!(reaper.adopt(&dead.id, None, 10).await, Adopted::Alive);
    assert_eq!(dead.held().await.len(), 1);
}

pub(crate) async fn the_sweep_of_one_that_owns_nothing_finds_nothing(f: Fixture) {
    let mut reaper = f.member().await;
    let (grant, more) = taken(reaper.adopt(&f.worker().id, None, 10).await);
    assert!(grant.envelopes.is_empty() && !more);
}
