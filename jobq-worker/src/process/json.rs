//! Log lines as JSON, an object a line: `time`, `level`, `target`, `message`, and in `fields` those
//! of the event and of the spans around it, so that `job.id` is found in one place wherever it was
//! said. Of two fields with one name the inner one is told. (The format of `tracing-subscriber` keeps
//! the fields of spans apart from those of events, so that a job would be found in one place when its
//! handler speaks, and in another when this crate does.)

use std::error::Error;
use std::fmt::{self, Write as _};
use std::io::Write as _;

use jobq::Timestamp;
use jobq::runtime::text::chain;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, Scope};

/// Writes them to standard error.
#[derive(Debug)]
pub(super) struct JsonLines;

impl<S> Layer<S> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, span: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        span.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        // Read before the span is locked: a value's own `Debug` may log.
        let mut fields = Fields::default();
        values.record(&mut fields);
        if let Some(span) = context.span(id)
            && let Some(known) = span.extensions_mut().get_mut::<Fields>()
        {
            known.0.extend(fields.0);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut own = Fields::default();
        event.record(&mut own);
        let message = own.0.remove("message").unwrap_or_default();
        let mut fields = Map::new();
        let spans = context.event_scope(event).into_iter();
        for span in spans.flat_map(Scope::from_root) {
            if let Some(known) = span.extensions().get::<Fields>() {
                fields.extend(known.0.clone());
            }
        }
        fields.extend(own.0);
        let line = line(event, &message, fields);
        // Nobody reads it: then there is nobody to tell either.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
}

/// One line, in an order that people can read too.
fn line(event: &Event<'_>, message: &Value, fields: Map<String, Value>) -> String {
    let (level, target) = (event.metadata().level(), event.metadata().target());
    let (target, fields) = (Value::from(target), Value::from(fields));
    let mut line = String::new();
    let written = writeln!(
        line,
        r#"{{"time":"{:.3}","level":"{level}","target":{target},"message":{message},"fields":{fields}}}"#,
        Timestamp::now(),
    );
    written.expect("a string takes everything");
    line
}

/// Fields by name.
#[derive(Debug, Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn note(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.note(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.note(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.note(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.note(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.note(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        match value.is_finite() {
            true => self.note(field, value),
            // JSON has no number for it.
            false => self.note(field, value.to_string()),
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.note(field, chain(value));
    }
}
