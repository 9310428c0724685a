//! What a store is asked when something is wrong.

use std::collections::BTreeSet;

use jobq::broker::{Owned, QueueFacts, Role};

use crate::fixture::{Fixture, HOURS, queue};

pub(crate) async fn only_a_server_has_something_to_say(f: Fixture) {
    let facts = f.broker.examine().await.expect("facts");
    assert_eq!(facts.is_some(), !f.broker.is_in_process());
    let Some(facts) = facts else { return };
    assert!(facts.version.is_some() && facts.memory.used > Some(0));
    assert!(facts.clock.ahead_ms.abs() < 60_000, "{facts:?}");
}

async fn facts(f: &Fixture) -> Option<QueueFacts> {
    f.broker.examine_queue(&f.queue).await.expect("facts")
}

pub(crate) async fn the_keys_of_a_queue_are_what_they_should_be(f: Fixture) {
    let Some(before) = facts(&f).await else {
        assert!(f.broker.is_in_process());
        return;
    };
    assert_eq!(before, QueueFacts::default(), "nobody used it");
    let mut worker = f.member().await;
    f.with_dead(&["record"]).await;
    f.enqueue(&["a", "b", "c"]).await;
    f.enqueue_due(&["later"], jobq::broker::Due::After(HOURS))
        .await;
    worker.claim(1).await;
    f.pause().await;
    let facts = facts(&f).await.expect("it is a server");
    let kinds = facts.keys.iter().map(|key| {
        let (_, name) = key.key.rsplit_once(':').expect("keys have parts");
        assert_eq!(key.found, key.expected, "{name}");
        assert!(key.bytes > Some(0) && key.encoding.is_some(), "{key:?}");
        (name, key.length)
    });
    let kinds: BTreeSet<_> = kinds.collect();
    for (name, length) in [("ready", 2), ("delayed", 1), ("dead", 1)] {
        assert!(kinds.contains(&(name, Some(length))), "{name}: {kinds:?}");
    }
    assert!(!kinds.iter().any(|(name, _)| *name == "suspects"));
    assert!(facts.members.iter().any(|(id, _)| *id == worker.id));
}

pub(crate) async fn owners_are_found_on_every_queue(f: Fixture) {
    let (other, mut expected) = (f.on("other"), BTreeSet::new());
    for on in [&f, &other] {
        let mut worker = on.member().await;
        on.enqueue(&["a", "b", "c"]).await;
        worker.claim(2).await;
        worker.be_handed(1).await;
        expected.insert((on.queue.clone(), worker.id.clone()));
    }
    assert_ne!(f.queue, queue("other"));
    let (mut found, mut cursor) = (BTreeSet::new(), 0);
    loop {
        let (next, owners) = f.broker.all_owners(cursor).await.expect("owners");
        found.extend(owners);
        cursor = next;
        if next == 0 {
            break;
        }
    }
    if f.broker.is_in_process() {
        assert!(found.is_empty());
        return;
    }
    assert_eq!(found, expected);
    for (queue, worker) in expected {
        let workers = std::slice::from_ref(&worker);
        let owned = f.broker.owned(&queue, workers).await.expect("owned");
        let expected = Owned {
            worker,
            in_flight: Some(2),
            handed: Some(1),
            damaged: Vec::new(),
        };
        assert_eq!(owned, [expected]);
    }
}

pub(crate) async fn whoever_owns_the_store_lacks_no_right(f: Fixture) {
    for role in Role::ALL {
        let missing = f.broker.missing_rights(role, &f.queue).await;
        assert_eq!(missing.expect("rights"), Vec::<String>::new(), "{role:?}");
    }
}

pub(crate) async fn asking_moves_nothing(f: Fixture) {
    f.enqueue(&["a", "b"]).await;
    let mut worker = f.member().await;
    worker.claim(1).await;
    let before = f.stats().await;
    f.broker.examine().await.expect("facts");
    facts(&f).await;
    f.broker.all_owners(0).await.expect("owners");
    assert_eq!(f.stats().await, before);
}
