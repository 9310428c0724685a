//! Keeps the spans and events of one thread, for as long as it lives.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, Once};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{DefaultGuard, Interest};
use tracing::{Level, Metadata, Subscriber};

type Fields = BTreeMap<&'static str, String>;

/// What was captured since [`Capture::start`].
pub(super) struct Capture {
    kept: Kept,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Log>>);

#[derive(Default)]
struct Log {
    /// The id of a span is its place, from 1.
    spans: Vec<Span>,
    events: Vec<Event>,
    entered: Vec<u64>,
}

#[derive(Debug, Clone)]
pub(super) struct Span {
    name: &'static str,
    fields: Fields,
}

#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) level: Level,
    pub(super) target: String,
    fields: Fields,
    /// Of the innermost span it was in.
    span: Fields,
}

impl Capture {
    pub(super) fn start() -> Self {
        static ASKED: Once = Once::new();
        ASKED.call_once(|| {
            tracing::subscriber::set_global_default(Asked).expect("the tests set no other");
        });
        let kept = Kept::default();
        let guard = tracing::subscriber::set_default(kept.clone());
        Self {
            kept,
            _guard: guard,
        }
    }

    pub(super) fn spans(&self, name: &str) -> Vec<Span> {
        let log = self.kept.log();
        let spans = log.spans.iter().filter(|span| span.name == name);
        spans.cloned().collect()
    }

    pub(super) fn events(&self) -> Vec<Event> {
        self.kept.log().events.clone()
    }

    pub(super) fn at(&self, level: Level) -> Vec<Event> {
        let events = self.events().into_iter();
        events.filter(|event| event.level == level).collect()
    }
}

impl Span {
    pub(super) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

impl Event {
    pub(super) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    pub(super) fn in_span(&self, name: &str) -> &str {
        self.span.get(name).map_or("", String::as_str)
    }
}

impl Kept {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.lock().expect("no writer panics")
    }
}

impl Subscriber for Kept {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Read::default();
        span.record(&mut fields);
        let mut log = self.log();
        let name = span.metadata().name();
        log.spans.push(Span {
            name,
            fields: fields.0,
        });
        Id::from_u64(log.spans.len() as u64)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut fields = Read::default();
        values.record(&mut fields);
        let place = usize::try_from(span.into_u64() - 1).expect("it was given out");
        self.log().spans[place].fields.extend(fields.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut fields = Read::default();
        event.record(&mut fields);
        let mut log = self.log();
        let span = log.entered.last().map(|&id| {
            let place = usize::try_from(id - 1).expect("it was given out");
            log.spans[place].fields.clone()
        });
        let event = Event {
            level: *event.metadata().level(),
            target: event.metadata().target().to_owned(),
            fields: fields.0,
            span: span.unwrap_or_default(),
        };
        log.events.push(event);
    }

    fn enter(&self, span: &Id) {
        self.log().entered.push(span.into_u64());
    }

    fn exit(&self, span: &Id) {
        let mut log = self.log();
        let last = log.entered.iter().rposition(|&id| id == span.into_u64());
        if let Some(last) = last {
            log.entered.remove(last);
        }
    }
}

/// Keeps nothing, and has every place in the code ask again each time. Without it a place that is
/// met first by a thread without a capture is taken for one that nobody listens to.
struct Asked;

impl Subscriber for Asked {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &tracing::Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Fields as text.
#[derive(Default)]
struct Read(Fields);

impl Visit for Read {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}
