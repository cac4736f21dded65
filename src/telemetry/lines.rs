//! A log line as one JSON object, written as it comes: the fields of a span are kept as JSON text and copied into each
//! of its lines. (The formatter of tracing-subscriber parses and writes them anew for every line and every record,
//! which was a fifth of a request's time.)

use std::fmt::{self, Write as _};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::field::{Field, Visit};
use tracing::span::Record;
use tracing::{Event, Subscriber};
use tracing_subscriber::field::{RecordFields, VisitOutput as _};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// Writes `{"timestamp", "level", <the event's fields>, "target", "span": {<its fields>, "name"}}`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct JsonLines;

/// Writes fields as `"name":value`, separated by commas, without the braces.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct JsonMembers;

impl<S> FormatEvent<S, JsonMembers> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonMembers>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        let now = OffsetDateTime::now_utc();
        let now = now.format(&Rfc3339).map_err(|_| fmt::Error)?;
        let level = metadata.level().as_str();
        write!(writer, r#"{{"timestamp":"{now}","level":"{level}""#)?;
        let mut members = Members::new(writer.by_ref(), true);
        event.record(&mut members);
        members.finish()?;
        writer.write_str(r#","target":"#)?;
        string(&mut writer, metadata.target())?;
        if let Some(span) = context.lookup_current() {
            writer.write_str(r#","span":{"#)?;
            let extensions = span.extensions();
            if let Some(fields) = extensions
                .get::<FormattedFields<JsonMembers>>()
                .filter(|fields| !fields.is_empty())
            {
                write!(writer, "{fields},")?;
            }
            writer.write_str(r#""name":"#)?;
            string(&mut writer, span.name())?;
            writer.write_char('}')?;
        }
        writer.write_str("}\n")
    }
}

impl<'w> FormatFields<'w> for JsonMembers {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut members = Members::new(writer, false);
        fields.record(&mut members);
        members.finish()
    }

    fn add_fields(
        &self,
        current: &'w mut FormattedFields<Self>,
        fields: &Record<'_>,
    ) -> fmt::Result {
        let follows = !current.is_empty();
        let mut members = Members::new(current.as_writer(), follows);
        fields.record(&mut members);
        members.finish()
    }
}

/// Writes one member after the other.
struct Members<'w> {
    writer: Writer<'w>,
    /// Whether a comma is due.
    follows: bool,
    outcome: fmt::Result,
}

impl<'w> Members<'w> {
    fn new(writer: Writer<'w>, follows: bool) -> Self {
        Self {
            writer,
            follows,
            outcome: Ok(()),
        }
    }

    fn member(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'w>) -> fmt::Result) {
        if self.outcome.is_err() {
            return;
        }
        self.outcome = self.write(field, value);
    }

    fn write(
        &mut self,
        field: &Field,
        value: impl FnOnce(&mut Writer<'w>) -> fmt::Result,
    ) -> fmt::Result {
        if std::mem::replace(&mut self.follows, true) {
            self.writer.write_char(',')?;
        }
        string(&mut self.writer, field.name())?;
        self.writer.write_char(':')?;
        value(&mut self.writer)
    }
}

impl tracing_subscriber::field::VisitOutput<fmt::Result> for Members<'_> {
    fn finish(self) -> fmt::Result {
        self.outcome
    }
}

impl Visit for Members<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.member(field, |writer| {
            if value.is_finite() {
                write!(writer, "{value}")
            } else {
                writer.write_str("null")
            }
        });
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.member(field, |writer| write!(writer, "{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.member(field, |writer| write!(writer, "{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.member(field, |writer| write!(writer, "{value}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.member(field, |writer| string(writer, value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.member(field, |writer| {
            writer.write_char('"')?;
            write!(Escaped(writer), "{value:?}")?;
            writer.write_char('"')
        });
    }
}

/// Writes a JSON string.
fn string(writer: &mut Writer<'_>, text: &str) -> fmt::Result {
    writer.write_char('"')?;
    Escaped(writer).write_str(text)?;
    writer.write_char('"')
}

/// Writes the content of a JSON string (RFC 8259 section 7).
struct Escaped<'a, 'w>(&'a mut Writer<'w>);

impl fmt::Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let needs = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
        let mut rest = text;
        while let Some(at) = rest.bytes().position(needs) {
            self.0.write_str(&rest[..at])?;
            match rest.as_bytes()[at] {
                b'"' => self.0.write_str("\\\"")?,
                b'\\' => self.0.write_str("\\\\")?,
                b'\n' => self.0.write_str("\\n")?,
                control => write!(self.0, "\\u{control:04x}")?,
            }
            rest = &rest[at + 1..];
        }
        self.0.write_str(rest)
    }
}
