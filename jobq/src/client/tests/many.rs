//! `enqueue_all`: many jobs in few steps, all checked before any is sent.

use super::*;

#[tokio::test]
async fn many_jobs_are_sent_in_order_in_steps_of_1_000() {
    let (client, recorder) = recorded(Recorder::default());
    let handles = client.enqueue_all((0..2500).map(note)).await.unwrap();
    let steps = recorder.steps();
    assert_eq!(
        steps.iter().map(Vec::len).collect::<Vec<_>>(),
        [1000, 1000, 500]
    );
    let sent = steps.concat();
    for ((entry, handle), n) in sent.into_iter().zip(&handles).zip(0..) {
        let envelope = Envelope::decode(entry.envelope).unwrap();
        assert_eq!(envelope.id(), handle.id());
        assert_eq!(decode_args::<Note>(envelope.args()).unwrap(), note(n));
    }
}

#[tokio::test]
async fn large_jobs_are_sent_in_steps_of_8_mib() {
    let (client, recorder) = recorded(Recorder::default());
    client
        .enqueue_all((0..20).map(|_| long(1_000_000)))
        .await
        .unwrap();
    let counts: Vec<_> = recorder.steps().iter().map(Vec::len).collect();
    assert_eq!(counts, [8, 8, 4]);
}

#[tokio::test]
async fn no_jobs_are_no_step() {
    let (client, recorder) = recorded(Recorder::default());
    let none: [Note; 0] = [];
    assert!(client.enqueue_all(none).await.unwrap().is_empty());
    assert!(recorder.steps().is_empty());
}

#[tokio::test]
async fn one_bad_job_among_many_keeps_all_from_being_sent() {
    let (client, recorder) = recorded(Recorder::default());
    let jobs = (0..2500).map(|n| note(n).timeout(Duration::from_secs(u64::from(n != 2499))));
    assert!(client.enqueue_all(jobs).await.is_err());
    assert!(recorder.steps().is_empty());
}

#[tokio::test]
async fn jobs_for_several_queues_are_told_in_the_order_they_were_given() {
    let client = Client::in_memory();
    let jobs = (0..10).map(|n| note(n).queue(if n % 2 == 0 { "even" } else { "odd" }));
    let handles = client.enqueue_all(jobs).await.unwrap();
    let queues: Vec<_> = handles.iter().map(JobHandle::queue).collect();
    assert_eq!(queues, ["even", "odd"].repeat(5));
    let odd = client.queue("odd").unwrap();
    let odd = odd.jobs(JobState::Ready, 0, 10).await.unwrap();
    let ids: Vec<_> = odd.iter().filter_map(crate::JobInfo::id).collect();
    let expected: Vec<_> = handles
        .iter()
        .skip(1)
        .step_by(2)
        .map(JobHandle::id)
        .collect();
    assert_eq!(ids, expected);
}

#[tokio::test]
async fn what_is_due_later_is_sent_apart_so_that_a_full_server_refuses_a_step_whole() {
    let (client, recorder) = recorded(Recorder::failing(1, false));
    let jobs = (0..10).map(|n| match n % 2 {
        0 => note(n).into_job(),
        _ => note(n).delay(Duration::from_secs(3600)),
    });
    let error = client.enqueue_all(jobs).await.unwrap_err();
    let EnqueueError::Partial { enqueued, source } = error else {
        panic!("{error}");
    };
    assert!(matches!(*source, EnqueueError::Broker(_)), "{source}");
    let step = &recorder.steps()[0];
    assert!(step.iter().all(|entry| entry.due == step[0].due));
    let sent = step.iter().map(|entry| entry.envelope.clone());
    let sent: Vec<_> = sent
        .map(|bytes| Envelope::decode(bytes).unwrap().id())
        .collect();
    assert_eq!(enqueued.iter().map(JobHandle::id).collect::<Vec<_>>(), sent);
    assert_eq!(sent.len(), 5);
}

#[tokio::test]
async fn what_was_sent_before_a_step_failed_is_told() {
    for unknown in [false, true] {
        let (client, recorder) = recorded(Recorder::failing(2, unknown));
        let error = client.enqueue_all((0..2500).map(note)).await.unwrap_err();
        let EnqueueError::Partial { enqueued, source } = error else {
            panic!("{error}");
        };
        assert_eq!(enqueued.len(), 2000);
        let last = &recorder.steps()[1][999];
        let last = Envelope::decode(last.envelope.clone()).unwrap();
        assert_eq!(enqueued[1999].id(), last.id());
        match *source {
            EnqueueError::Broker(_) => assert!(!unknown),
            EnqueueError::OutcomeUnknown { id, .. } => {
                assert!(unknown && enqueued.iter().all(|handle| handle.id() != id));
            }
            other => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn a_first_step_that_fails_is_told_as_it_is() {
    let (client, _) = recorded(Recorder::failing(0, false));
    let error = client.enqueue_all((0..3).map(note)).await.unwrap_err();
    assert!(matches!(error, EnqueueError::Broker(_)), "{error}");
    let error = client.enqueue(note(1)).await.unwrap_err();
    assert!(matches!(error, EnqueueError::Broker(_)), "{error}");

    let (client, _) = recorded(Recorder::failing(0, true));
    let ids = [JobId::new(), JobId::new()];
    let error = client
        .enqueue_all(ids.map(|id| note(1).id(id)))
        .await
        .unwrap_err();
    assert!(
        matches!(error, EnqueueError::OutcomeUnknown { id, .. } if id == ids[0]),
        "{error}"
    );
    let error = client.enqueue(note(1).id(ids[1])).await.unwrap_err();
    assert!(matches!(&error, EnqueueError::OutcomeUnknown { id, .. } if *id == ids[1]));
    assert!(error.to_string().contains(&ids[1].to_string()), "{error}");
}
