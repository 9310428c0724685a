//! What settings of Redis cost: the append-only file, and how a list is cut into nodes and compressed.
//!
//! Each setting has a Redis of its own, and all of a group take turns: what stands beside each other was
//! measured within seconds. The first of a group is Redis' default, which the others are compared with.

use std::time::Instant;

use rand::seq::IndexedRandom as _;

use crate::jobs::{TEXT, noop};
use crate::load::{client, fill};
use crate::round::{Drained, Plan, drain};
use crate::sheet::{Row, Sheet};
use crate::store::Store;
use crate::worker::Setup;
use crate::workloads::enqueue::by_client;

/// Options of the configuration file, as they are named in the row.
struct Setting {
    name: &'static str,
    value: &'static str,
    options: &'static [(&'static str, &'static str)],
}

impl Setting {
    const fn of(option: &'static [(&'static str, &'static str); 1]) -> Self {
        let (name, value) = option[0];
        Self {
            name,
            value,
            options: option,
        }
    }

    const fn fsync(value: &'static str, options: &'static [(&'static str, &'static str)]) -> Self {
        Self {
            name: "appendfsync",
            value,
            options,
        }
    }
}

const APPEND_ONLY: &[Setting] = &[
    Setting::fsync("off", &[("appendonly", "no")]),
    Setting::fsync(
        "everysec",
        &[("appendonly", "yes"), ("appendfsync", "everysec")],
    ),
    Setting::fsync(
        "always",
        &[("appendonly", "yes"), ("appendfsync", "always")],
    ),
];

const NODES: &[Setting] = &[
    Setting::of(&[("list-max-listpack-size", "-2")]),
    Setting::of(&[("list-max-listpack-size", "-1")]),
    Setting::of(&[("list-max-listpack-size", "128")]),
    Setting::of(&[("list-max-listpack-size", "-5")]),
];

const COMPRESSED: &[Setting] = &[
    Setting::of(&[("list-compress-depth", "0")]),
    Setting::of(&[("list-compress-depth", "1")]),
];

/// What the jobs carry beside a number.
#[derive(Clone, Copy)]
enum Payload {
    /// The text of the other workloads.
    Short,
    /// 1 KiB of words, which compress.
    Words,
    /// 1 KiB of letters by chance, which do not.
    Noise,
}

pub(super) async fn settings(plan: Plan, sheet: &mut Sheet) {
    measure(plan, sheet, APPEND_ONLY, Payload::Short).await;
    measure(plan, sheet, NODES, Payload::Short).await;
    for payload in [Payload::Short, Payload::Words, Payload::Noise] {
        measure(plan, sheet, COMPRESSED, payload).await;
    }
}

async fn measure(plan: Plan, sheet: &mut Sheet, group: &[Setting], payload: Payload) {
    let texts = payload.texts();
    let jobs = plan.jobs(payload.jobs());
    let mut measured = Vec::new();
    for setting in group {
        let row = Row::new()
            .with("setting", setting.name)
            .with("value", setting.value)
            .with("payload", payload.name());
        measured.push((Store::start_with(setting.options).await, row));
    }
    for _ in 0..plan.rounds {
        let mut default = None;
        for (store, row) in &mut measured {
            let round = Round::measure(store, &texts, jobs, plan.jobs(10_000)).await;
            row.note_round(&round, default.get_or_insert(round));
        }
    }
    measured.iter().for_each(|(_, row)| sheet.print(row));
}

/// What one setting came to in one round.
#[derive(Clone, Copy)]
struct Round {
    enqueued_per_s: f64,
    bulk_per_s: f64,
    pending_bytes: f64,
    drained: Drained,
}

impl Round {
    async fn measure(store: &Store, texts: &[String], jobs: u64, one_by_one: u64) -> Self {
        store.flush().await;
        let took = by_client(&client(&store.url()).await, 1, 1, one_by_one).await;
        store.flush().await;
        let empty = store.bytes().await;
        let began = Instant::now();
        fill(&store.url(), jobs, |number| {
            noop::new(number, &texts[number as usize % texts.len()][..])
        })
        .await;
        Self {
            enqueued_per_s: one_by_one as f64 / took,
            bulk_per_s: jobs as f64 / began.elapsed().as_secs_f64(),
            pending_bytes: (store.bytes().await - empty) / jobs as f64,
            drained: drain(store, &Setup::new(store, 1000, 1), 1, jobs).await,
        }
    }
}

impl Row {
    fn note_round(&mut self, round: &Round, default: &Round) {
        self.note_drained(&round.drained);
        self.note("enqueued_per_s", round.enqueued_per_s);
        self.note("bulk_per_s", round.bulk_per_s);
        self.note("pending_bytes", round.pending_bytes);
        let mut compare = |name, figure: fn(&Round) -> f64| {
            self.note(name, figure(round) / figure(default));
        };
        compare("drain_to_default", |round| round.drained.jobs_per_s);
        compare("enqueue_to_default", |round| round.enqueued_per_s);
        compare("bulk_to_default", |round| round.bulk_per_s);
        compare("bytes_to_default", |round| round.pending_bytes);
    }
}

impl Payload {
    fn name(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Words => "1 KiB of words",
            Self::Noise => "1 KiB of noise",
        }
    }

    fn jobs(self) -> u64 {
        match self {
            Self::Short => 1_000_000,
            Self::Words | Self::Noise => 200_000,
        }
    }

    /// Texts that the jobs have in turn: enough of them that a node of a list holds none twice.
    fn texts(self) -> Vec<String> {
        let parts: Vec<&str> = match self {
            Self::Short => return vec![TEXT.to_owned()],
            Self::Words => WORDS.split_inclusive(' ').collect(),
            Self::Noise => LETTERS
                .split("")
                .filter(|letter| !letter.is_empty())
                .collect(),
        };
        let mut chance = rand::rng();
        let mut text = || {
            let drawn = std::iter::repeat_with(|| parts.choose(&mut chance).copied());
            let letters = drawn.flatten().flat_map(str::chars);
            letters.take(1024).collect()
        };
        std::iter::repeat_with(&mut text).take(64).collect()
    }
}

const WORDS: &str = "the order of customer was paid and sent to address in city with invoice number from \
    account on date a new message for user has been created by service at status pending amount email name \
    reference please confirm that your delivery will arrive between morning or evening thank you if not \
    contact support team before return item price total quantity shipped warehouse country ";

const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
