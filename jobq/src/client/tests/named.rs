//! Jobs of which only the name is known.

use std::collections::BTreeMap;

use super::*;
use crate::job::NamedJob;

fn named(name: &str) -> NamedJob {
    NamedJob::new(name, &BTreeMap::from([("n", 1)])).unwrap()
}

#[tokio::test]
async fn a_job_by_its_name_is_the_envelope_of_its_type() {
    let (client, recorder) = recorded(Recorder::default());
    let id = JobId::new();
    client.enqueue(note(1).id(id).retries(3)).await.unwrap();
    client
        .enqueue_named(named("note").id(id).retries(3))
        .await
        .unwrap();
    let steps = recorder.steps();
    let read = |step: usize| Envelope::decode(steps[step][0].envelope.clone()).unwrap();
    let (typed, by_name) = (read(0), read(1));
    assert_eq!(typed.name(), by_name.name());
    assert_eq!(typed.id(), by_name.id());
    assert_eq!(typed.options(), by_name.options());
}

#[tokio::test]
async fn what_is_wrong_with_it_is_told_before_anything_is_sent() {
    let (client, recorder) = recorded(Recorder::default());
    let long = "x".repeat(513);
    for (job, told) in [
        (named(""), "name is \"\"; expected 1 to 512 bytes"),
        (named(&long), "expected 1 to 512 bytes"),
        (named("note").queue("a b"), "\"a b\""),
        (named("note").timeout(Duration::ZERO), "timeout is 0s"),
    ] {
        let error = client.enqueue_named(job.clone()).await.unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
        let jobs = [named("note"), job];
        assert!(client.enqueue_all_named(jobs).await.is_err(), "{told}");
    }
    let large = NamedJob::new("note", &BTreeMap::from([("text", "x".repeat(2 << 20))])).unwrap();
    let error = client.enqueue_named(large).await.unwrap_err();
    assert!(
        matches!(error, EnqueueError::PayloadTooLarge { .. }),
        "{error}"
    );
    assert!(recorder.steps().is_empty());
}

#[test]
fn arguments_that_are_no_map_are_refused() {
    for error in [
        NamedJob::new("note", &7).unwrap_err(),
        NamedJob::new("note", &"text").unwrap_err(),
        NamedJob::new("note", &vec![1]).unwrap_err(),
    ] {
        assert!(
            matches!(error, EnqueueError::Unserialisable { .. }),
            "{error}"
        );
    }
    assert!(NamedJob::new("note", &BTreeMap::<String, u8>::new()).is_ok());
}

#[tokio::test]
async fn many_are_sent_queue_by_queue() {
    let (client, recorder) = recorded(Recorder::default());
    let jobs = (0..1500).map(|n| named("note").queue(if n % 2 == 0 { "a" } else { "b" }));
    let handles = client.enqueue_all_named(jobs).await.unwrap();
    assert_eq!((handles.len(), handles[1].queue()), (1500, "b"));
    let sizes: Vec<_> = recorder.steps().iter().map(Vec::len).collect();
    assert_eq!(sizes, [750, 750]);
}
