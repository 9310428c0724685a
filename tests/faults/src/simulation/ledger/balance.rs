//! What has to be true of all jobs together.

use bytes::Bytes;
use jobq::broker::memory::Snapshot;
use jobq::{DeadRecord, Envelope};

use super::{Figures, Job, Ledger, Wrongs};
use crate::simulation::plan::End;
use crate::simulation::sim::job_of;

impl Ledger {
    /// How many of the jobs that were enqueued are in no place, and were not acked.
    pub(crate) fn lost(&self, snapshots: &[Snapshot]) -> u64 {
        let all = self.jobs.iter().zip(self.places(snapshots));
        let lost = |(job, places): (&Job, u32)| job.enqueued.saturating_sub(job.acked + places);
        all.map(|one| u64::from(lost(one))).sum()
    }

    /// In how many places each job is.
    fn places(&self, snapshots: &[Snapshot]) -> Vec<u32> {
        let mut places = vec![0; self.jobs.len()];
        let mut count = |bytes: &Bytes| places[Envelope::id_of(bytes).map_or(0, job_of)] += 1;
        for snapshot in snapshots {
            snapshot.ready.iter().for_each(&mut count);
            snapshot.delayed.iter().for_each(|(_, bytes)| count(bytes));
            snapshot.suspects.iter().for_each(&mut count);
            snapshot.handoffs.values().flatten().for_each(&mut count);
            let in_flight = snapshot.in_flight.values();
            in_flight
                .flat_map(|held| held.values())
                .for_each(&mut count);
            for record in &snapshot.dead {
                let dead = DeadRecord::decode(record).expect("workers write whole records");
                count(&dead.envelope);
            }
        }
        places
    }

    /// Each job that was enqueued is in exactly one place, or was acked.
    pub(crate) fn conserved(&self, snapshots: &[Snapshot]) -> Wrongs {
        let judge = |(job, (state, places)): (usize, (&Job, u32))| {
            let (enqueued, acked) = (state.enqueued, state.acked);
            (enqueued != acked + places).then(|| {
                format!("j{job} was enqueued {enqueued} times, acked {acked} times, and stands in {places} places")
            })
        };
        let all = self.jobs.iter().zip(self.places(snapshots)).enumerate();
        all.filter_map(judge).collect()
    }

    /// As many runs as outcomes: nobody had to repeat anything.
    pub(crate) fn calm(&self) -> Wrongs {
        let Figures {
            starts,
            stale,
            adoptions,
            ..
        } = self.figures;
        let ended: usize = self
            .jobs
            .iter()
            .map(|job| job.acked as usize + job.failed as usize)
            .sum();
        let snoozed: usize = self
            .jobs
            .iter()
            .flat_map(|job| &job.ends)
            .filter(|(_, end)| *end != End::Interrupted)
            .count();
        let mut wrongs = Wrongs::new();
        if stale + adoptions > 0 {
            wrongs.push(format!(
                "nothing went wrong: {stale} stale, {adoptions} adopted"
            ));
        }
        if snoozed > 0 {
            wrongs.push(format!(
                "{snoozed} of {starts} runs were for nothing, {ended} ended"
            ));
        }
        wrongs
    }
}
