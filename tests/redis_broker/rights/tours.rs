//! What each role does with a server, all of it.

use support::Role;

use super::super::fixture::*;

pub(super) type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// What is there before a role begins its work.
pub(super) async fn prepare(server: &RedisServer, role: Role) {
    if role == Role::Producer {
        return;
    }
    let broker = broker_on(server).await;
    let jobs = ["a", "b", "c", "d"].map(now);
    broker.enqueue(&queue(), &jobs).await.unwrap();
    broker.enqueue(&queue(), &[later("z")]).await.unwrap();
    let grant = granted(&broker, &claim(0, 3)).await;
    let bury = Action::Bury {
        record: Bytes::from("dead"),
    };
    let suspect = Action::Release {
        to: ReleaseTo::Suspects,
        envelope: None,
    };
    settle(&broker, grant.counter, [bury, suspect])
        .await
        .unwrap();
    if role == Role::Operator {
        // Noted too long ago, so that the next to be cancelled drops it.
        let key = "jobq:{mail}:cancelled";
        ask(server, &["ZADD", key, "1", "an id from long ago"]).await;
        // So many that one in the middle is taken out in another way than one near an end.
        let many = "for i = 1, 120000 do redis.call('LPUSH', KEYS[1], i) end";
        ask(server, &["EVAL", many, "1", "jobq:{mail}:ready"]).await;
        let (told, record) = (WorkerId::from_stored("told"), Bytes::new());
        let kept = Duration::from_secs(3600);
        broker.register(&told, &record, kept).await.unwrap();
    }
    // More than an adoption sorts, and than a page reads at once.
    let many = "for i = 1, 5001 do redis.call('HSET', KEYS[1], '1.' .. i, 'x') end";
    ask(server, &["EVAL", many, "1", "jobq:{mail}:inflight:many"]).await;
    ask(server, &["HSET", "jobq:{mail}:workers", "many", "1"]).await;
}

/// The whole work of a role, from connecting on.
pub(super) async fn tour(server: &RedisServer, role: Role) -> Outcome {
    let config = RedisConfig::parse(&role.log_in(&server.url()), None)?;
    let broker = RedisBroker::connect(config, DEADLINE).await?;
    match role {
        Role::Producer => produce(&broker).await,
        Role::Worker => work(server, &broker).await,
        Role::Operator => operate(&broker).await,
    }
}

async fn produce(broker: &RedisBroker) -> Outcome {
    broker.enqueue(&queue(), &[now("a")]).await?;
    broker.enqueue(&queue(), &[later("b"), now("c")]).await?;
    Ok(())
}

async fn work(server: &RedisServer, broker: &RedisBroker) -> Outcome {
    let worker = WorkerId::from_stored("w2");
    let member = |known| Member {
        worker: worker.clone(),
        ..claim(known, 0).member
    };
    let warnings = broker.warnings().await?;
    if !warnings.is_empty() {
        return Err(warnings.concat().into());
    }
    let signal = broker.due_signal(&queue());
    within("the signal that it listens", signal.notified()).await;
    produce(broker).await?;
    let soon = Entry {
        due: Due::After(Duration::ZERO),
        ..now("soon")
    };
    broker.enqueue(&queue(), &[soon]).await?;
    within("the signal", signal.notified()).await;

    wait(server, broker, &worker).await?;
    broker.stats(&queue()).await?;
    let claim = |known, max, suspect| Claim {
        member: member(known),
        max,
        suspect,
    };
    // Without jobs, so that it gives back what it was handed.
    let first = as_dyn(broker).claim(&claim(0, 0, false)).await?;
    let Claimed::Granted(first) = first else {
        return Err("reaped".into());
    };
    as_dyn(broker).claim(&claim(first.counter, 1, true)).await?;
    let grant = as_dyn(broker)
        .claim(&claim(first.counter + 1, 3, false))
        .await?;
    let Claimed::Granted(grant) = grant else {
        return Err("reaped".into());
    };
    broker.cancelled(&queue(), &[JobId::new()]).await?;
    settle_in_every_way(broker, &worker, grant.counter).await?;

    for target in ["w1", "many"] {
        let target = WorkerId::from_stored(target);
        let seen = broker.members(&queue()).await?;
        let seen = seen.into_iter().find(|(id, _)| *id == target);
        let adoption = Adoption {
            member: member(grant.counter),
            target,
            seen: seen.map(|(_, counter)| counter),
            max: 10,
        };
        broker.adopt(&adoption).await?;
    }
    broker.owners(&queue(), 0).await?;
    let held = broker.held(&queue(), &worker).await?;
    let acks = held.iter().map(|token| (*token, Action::Ack));
    settle_as(broker, &worker, acks.collect()).await?;
    broker.promote(&queue(), &worker).await?;
    tell(broker, &worker).await?;
    broker.renew(&member(grant.counter)).await?;
    broker.leave(&queue(), &worker).await?;
    Ok(())
}

/// Reports, tells of itself, and takes that back.
async fn tell(broker: &RedisBroker, worker: &WorkerId) -> Outcome {
    let report = Report {
        queue: queue(),
        worker: worker.clone(),
        number: 1,
        tallies: vec![Tally::new("a", Totals::default())],
    };
    broker.report(&report).await?;
    let record = Bytes::from("what it tells");
    broker.register(worker, &record, DEADLINE).await?;
    broker.deregister(worker).await?;
    Ok(())
}

/// Waits in vain, is told to stop, and waits for what is there.
async fn wait(server: &RedisServer, broker: &RedisBroker, worker: &WorkerId) -> Outcome {
    let empty = QueueName::new("empty")?;
    let waiter = broker.waiter(&empty, worker);
    let (ended, ()) = tokio::join!(waiter.wait(DEADLINE), async {
        someone_waits(server).await;
        waiter.interrupt().await.unwrap();
    });
    assert_eq!(ended?, Wake::TimedOut);
    let wake = broker.waiter(&queue(), worker).wait(DEADLINE).await?;
    assert_eq!(wake, Wake::Handed);
    Ok(())
}

async fn settle_in_every_way(broker: &RedisBroker, worker: &WorkerId, counter: u64) -> Outcome {
    let envelope = Bytes::from("again");
    let actions = [
        Action::Ack,
        Action::Retry {
            delay: Duration::ZERO,
            envelope,
        },
        Action::Bury {
            record: Bytes::from("dead"),
        },
    ];
    let tokens = (1..).map(|index| Token {
        claim: counter,
        index,
    });
    settle_as(broker, worker, tokens.zip(actions).collect()).await
}

async fn settle(
    broker: &RedisBroker,
    counter: u64,
    actions: impl IntoIterator<Item = Action>,
) -> Outcome {
    let tokens = (1..).map(|index| Token {
        claim: counter,
        index,
    });
    settle_as(broker, &worker(), tokens.zip(actions).collect()).await
}

async fn settle_as(
    broker: &RedisBroker,
    worker: &WorkerId,
    actions: Vec<(Token, Action)>,
) -> Outcome {
    let settlements = actions
        .into_iter()
        .map(|(token, action)| Settlement { token, action });
    let settle = Settle {
        worker: worker.clone(),
        settlements: settlements.collect(),
        ..acks(0, [])
    };
    let settled = as_dyn(broker).settle(settle).await?;
    assert!(settled.accepted.iter().all(|accepted| *accepted));
    Ok(())
}

async fn withdraw_each(broker: &RedisBroker) -> Outcome {
    for (state, place) in [
        (JobState::Ready, 0),
        (JobState::Ready, 60_000),
        (JobState::Suspect, 0),
        (JobState::Delayed, 0),
    ] {
        broker.enqueue(&queue(), &[later("y")]).await?;
        let mut page = broker.page(&queue(), state, place, 1).await?;
        let element = page.pop().expect("there are as many").bytes;
        let taken = broker.withdraw(&queue(), state, &element, place).await?;
        assert!(taken, "{state:?} {place}");
    }
    Ok(())
}

async fn operate(broker: &RedisBroker) -> Outcome {
    broker.queues().await?;
    broker.stats(&queue()).await?;
    for state in [
        JobState::Ready,
        JobState::Suspect,
        JobState::Delayed,
        JobState::InFlight,
        JobState::Dead,
    ] {
        let page = broker.page(&queue(), state, 0, 10).await?;
        assert!(!page.is_empty(), "{state:?}");
    }
    examine(broker).await?;
    broker.totals(&queue()).await?;
    broker.registered(0).await?;
    let told = WorkerId::from_stored("told");
    for order in [Order::Quiet, Order::Stop] {
        let ordered = broker.order(&told, order).await?;
        assert!(ordered, "there is such a worker");
    }
    broker.pause(&queue()).await?;
    broker.resume(&queue()).await?;
    broker.oldest_dead(&queue(), 0, 10).await?;
    broker.newest_ready(&queue(), 0, 10).await?;
    let job = Requeue {
        id: JobId::new(),
        envelope: Bytes::from("again"),
    };
    broker.cancel(&queue(), job.id).await?;
    as_dyn(broker).cancelled(&queue(), &[job.id]).await?;
    let take = TakeDead {
        record: Bytes::from("dead"),
        requeue: Some(job.clone()),
    };
    broker.take_dead(&queue(), &[take], 0).await?;
    broker.find_delayed(&queue(), job.id).await?;
    let delayed = Bytes::from("z");
    broker.run_now(&queue(), &delayed, &job).await?;
    withdraw_each(broker).await?;
    for state in [
        JobState::Suspect,
        JobState::Ready,
        JobState::Delayed,
        JobState::Dead,
    ] {
        broker.purge(&queue(), state).await?;
    }
    Ok(())
}

async fn examine(broker: &RedisBroker) -> Outcome {
    broker.examine().await?;
    let facts = broker.examine_queue(&queue()).await?;
    if facts.is_none_or(|facts| facts.keys.iter().any(|key| key.bytes.is_none())) {
        return Err("something is not known".into());
    }
    let (_, owners) = broker.all_owners(0).await?;
    for (queue, worker) in owners {
        broker.owned(&queue, &[worker]).await?;
    }
    broker
        .missing_rights(jobq::broker::Role::Operator, &queue())
        .await?;
    Ok(())
}
