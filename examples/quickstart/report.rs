//! What the user sees: a progress bar on a terminal, plain lines when piped, a table at the end.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jobq_worker::WorkerStats;
use sha2::{Digest, Sha256};

/// What is found out about a file.
pub(crate) struct Facts {
    sha256: String,
    words: usize,
}

impl Facts {
    pub(crate) fn of(content: &[u8]) -> Self {
        let digest = Sha256::digest(content);
        Self {
            sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            words: String::from_utf8_lossy(content).split_whitespace().count(),
        }
    }
}

/// Counts and shows what the jobs do. Clones share the counts.
#[derive(Clone)]
pub(crate) struct Report(Arc<Shared>);

struct Shared {
    root: PathBuf,
    start: Instant,
    bar: Option<ProgressBar>,
    words: AtomicU64,
    running: AtomicU64,
    most_running: AtomicU64,
    last_done: Mutex<Duration>,
}

/// Counts a job as running until it is dropped.
pub(crate) struct Running<'a>(&'a Shared);

impl Shared {
    fn show_running(&self, running: u64) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{running} running"));
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0
            .show_running(self.0.running.fetch_sub(1, Relaxed) - 1);
    }
}

impl Report {
    pub(crate) fn new(root: PathBuf, jobs: usize) -> Self {
        Self(Arc::new(Shared {
            root,
            start: Instant::now(),
            bar: io::stdout().is_terminal().then(|| bar(jobs)),
            words: AtomicU64::new(0),
            running: AtomicU64::new(0),
            most_running: AtomicU64::new(0),
            last_done: Mutex::default(),
        }))
    }

    pub(crate) fn running(&self) -> Running<'_> {
        let running = self.0.running.fetch_add(1, Relaxed) + 1;
        self.0.most_running.fetch_max(running, Relaxed);
        self.0.show_running(running);
        Running(&self.0)
    }

    pub(crate) fn done(&self, path: &Path, facts: &Facts) {
        self.0.words.fetch_add(facts.words as u64, Relaxed);
        *self.0.last_done.lock().expect("nobody panics with it") = self.0.start.elapsed();
        let Facts { sha256, words } = facts;
        match &self.0.bar {
            Some(bar) => bar.inc(1),
            None => self.line("done", path, &format!("{}  {words} words", &sha256[..12])),
        }
    }

    pub(crate) fn failed(&self, path: &Path, attempt: u32, error: &io::Error) {
        self.line("failed", path, &format!("attempt {attempt}: {error}"));
    }

    fn line(&self, what: &str, path: &Path, detail: &str) {
        let path = path.strip_prefix(&self.0.root).unwrap_or(path).display();
        let at = self.0.start.elapsed().as_secs_f64();
        let line = format!("{at:7.3} s  {what:6}  {path}  {detail}");
        match &self.0.bar {
            Some(bar) => bar.println(line),
            None => say(line),
        }
    }

    /// Ends the progress bar and prints the table.
    pub(crate) fn summary(&self, stats: WorkerStats) {
        if let Some(bar) = &self.0.bar {
            bar.finish_and_clear();
        }
        let time = self.0.start.elapsed().as_secs_f64();
        let last_done = *self.0.last_done.lock().expect("nobody panics with it");
        let busy = last_done.as_secs_f64();
        let WorkerStats {
            done,
            retried,
            dead,
            ..
        } = stats;
        let words = self.0.words.load(Relaxed);
        say(format_args!("\ndone           {done:>7}  {words} words"));
        say(format_args!("retried        {retried:>7}"));
        say(format_args!("dead           {dead:>7}"));
        say(format_args!(
            "time           {time:>7.2} s, {busy:.3} s of it until the last file was done"
        ));
        let rate = done as f64 / busy.max(1e-9);
        say(format_args!("jobs a second  {rate:>7.0}  in that time"));
        let most = self.0.most_running.load(Relaxed);
        say(format_args!("at once        {most:>7}  at the most"));
    }
}

/// Prints a line. Where nobody reads on (`… | head`) the work goes on unseen.
pub(crate) fn say(line: impl std::fmt::Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

fn bar(jobs: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(jobs as u64), ProgressDrawTarget::stdout());
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} files, {msg}, {elapsed}");
    bar.set_style(style.expect("the template is legal"));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
