//! A list, written page by page: it may be longer than memory.

use std::borrow::Cow;

use console::truncate_str;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Cell, Output, json};
use crate::failure::Failure;

/// Between two columns of a table.
const GAP: &str = "  ";

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    name: &'static str,
    is_right: bool,
}

impl Column {
    /// Of text.
    pub(crate) const fn left(name: &'static str) -> Self {
        let is_right = false;
        Self { name, is_right }
    }

    /// Of numbers.
    pub(crate) const fn right(name: &'static str) -> Self {
        let is_right = true;
        Self { name, is_right }
    }
}

/// One entry: its fields, one for each column, and the same and more as a JSON object.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) cells: Vec<Cell>,
    pub(crate) json: Value,
}

/// A list that is being written. [`Listing::begin`] first, and [`Listing::end`] or
/// [`Listing::finish`] at the end, or the JSON document is none.
#[derive(Debug)]
pub(crate) struct Listing {
    out: Output,
    columns: &'static [Column],
    write: fn(Output, &str) -> Result<(), Failure>,
    /// The widest so far: each page may widen the columns, none narrows them.
    widths: Vec<usize>,
    rows: u64,
}

impl Listing {
    pub(super) fn new(
        out: Output,
        columns: &'static [Column],
        write: fn(Output, &str) -> Result<(), Failure>,
    ) -> Self {
        let widths = columns.iter().map(|column| column.name.len()).collect();
        let rows = 0;
        Self {
            out,
            columns,
            write,
            widths,
            rows,
        }
    }

    /// Of a JSON document: the fields before the list, and the name that the list has in it.
    pub(crate) fn begin(&self, head: &Map<String, Value>, name: &str) -> Result<(), Failure> {
        if !self.out.json {
            return Ok(());
        }
        let fields = fields(head)?;
        let comma = if head.is_empty() { "" } else { "," };
        (self.write)(self.out, &format!("{{{fields}{comma}\"{name}\":["))
    }

    /// Some more of its rows.
    pub(crate) fn page(&mut self, rows: &[Row]) -> Result<(), Failure> {
        if rows.is_empty() {
            return Ok(());
        }
        let text = match (self.out.json, self.out.width) {
            (true, _) => self.elements(rows)?,
            (false, Some(width)) => self.table(rows, width),
            (false, None) => plain(rows),
        };
        self.rows += rows.len() as u64;
        (self.write)(self.out, &text)
    }

    /// Makes the columns as wide as these rows need, which are then written page by page.
    pub(crate) fn fit(&mut self, rows: &[Row]) {
        for row in rows {
            for (widest, cell) in self.widths.iter_mut().zip(&row.cells) {
                *widest = cell.width().max(*widest);
            }
        }
    }

    /// How many rows it has so far.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Of a JSON document: the fields behind the list.
    pub(crate) fn end(self, tail: &Map<String, Value>) -> Result<(), Failure> {
        if !self.out.json {
            return Ok(());
        }
        let comma = if tail.is_empty() { "" } else { "," };
        (self.write)(self.out, &format!("]{comma}{}}}\n", fields(tail)?))
    }

    /// The same of what may have failed half way: the document is whole all the same, and has the
    /// reason as `error`, which is null if all was done. Answers what it was given.
    pub(crate) fn finish(
        self,
        mut tail: Map<String, Value>,
        done: Result<(), Failure>,
    ) -> Result<(), Failure> {
        let error = done.as_ref().err().and_then(Failure::reason);
        tail.insert("error".to_owned(), error.into());
        self.end(&tail)?;
        done
    }

    fn elements(&self, rows: &[Row]) -> Result<String, Failure> {
        let mut text = String::new();
        for (place, row) in (self.rows..).zip(rows) {
            if place > 0 {
                text.push(',');
            }
            text.push_str(&json(&row.json)?);
        }
        Ok(text)
    }

    fn table(&mut self, rows: &[Row], width: usize) -> String {
        self.fit(rows);
        let mut text = String::new();
        if self.rows == 0 {
            let names = self.columns.iter().map(|column| Cell::word(column.name));
            self.line(&mut text, &names.collect::<Vec<_>>(), width);
        }
        for row in rows {
            self.line(&mut text, &row.cells, width);
        }
        text
    }

    fn line(&self, text: &mut String, cells: &[Cell], mut room: usize) {
        let last = cells.len().saturating_sub(1);
        for (place, (cell, column)) in cells.iter().zip(self.columns).enumerate() {
            let shown = match place == last && room > 0 {
                // Only the last is cut: it is the one that is long.
                true => truncate_str(&cell.shown, room, "…"),
                false => Cow::Borrowed(cell.shown.as_str()),
            };
            let space = self.widths[place].saturating_sub(cell.width());
            room = room.saturating_sub(self.widths[place] + GAP.len());
            let shown = cell.style.apply_to(shown).force_styling(self.out.colour);
            match column.is_right {
                true => text.push_str(&format!("{:space$}{shown}", "")),
                false if place == last => text.push_str(&shown.to_string()),
                false => text.push_str(&format!("{shown}{:space$}", "")),
            }
            text.push_str(if place == last { "\n" } else { GAP });
        }
    }
}

fn plain(rows: &[Row]) -> String {
    let lines = rows.iter().map(|row| {
        let fields: Vec<_> = row.cells.iter().map(|cell| cell.plain.as_str()).collect();
        fields.join("\t") + "\n"
    });
    lines.collect()
}

/// The inside of an object.
fn fields(object: &impl Serialize) -> Result<String, Failure> {
    let text = json(object)?;
    Ok(text[1..text.len() - 1].to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COLUMNS: &[Column] = &[
        Column::left("name"),
        Column::right("n"),
        Column::left("error"),
    ];

    fn rows() -> Vec<Row> {
        let row = |name, n: u64, error| Row {
            cells: vec![Cell::text(name), Cell::number(n), Cell::text(error)],
            json: json!({ "name": name, "n": n }),
        };
        vec![row("mail", 7, "down"), row("漢字\t", 1234, "it is\nlong")]
    }

    fn listing(width: Option<usize>, colour: bool) -> Listing {
        let json = false;
        let out = Output {
            json,
            width,
            colour,
        };
        out.listing(COLUMNS)
    }

    #[test]
    fn a_table_is_aligned_and_fits_the_terminal() {
        let text = listing(Some(24), false).table(&rows(), 24);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "name       n  error",
                "mail       7  down",
                "漢字\\t  1234  it is\\nlo…",
            ]
        );
    }

    #[test]
    fn rows_that_are_written_one_by_one_are_aligned_as_those_of_a_page() {
        let mut listing = listing(Some(24), false);
        listing.fit(&rows());
        let first = listing.table(&rows()[..1], 24);
        listing.rows = 1;
        let text = first + &listing.table(&rows()[1..], 24);
        assert_eq!(text, self::listing(Some(24), false).table(&rows(), 24));
    }

    #[test]
    fn colours_are_written_only_where_they_are_wanted() {
        let row = Row {
            cells: vec![Cell::word("a"), Cell::word("b"), Cell::word("c").bad()],
            json: Value::Null,
        };
        let text = |colour| listing(Some(80), colour).table(std::slice::from_ref(&row), 80);
        assert!(
            text(true).contains("\u{1b}[31mc\u{1b}[0m"),
            "{}",
            text(true)
        );
        assert!(!text(false).contains('\u{1b}'));
    }

    #[test]
    fn piped_lines_have_tabs_only_between_their_fields() {
        assert_eq!(
            plain(&rows()),
            "mail\t7\tdown\n漢字\\t\t1234\tit is\\nlong\n"
        );
    }

    #[test]
    fn pages_of_json_are_one_list() {
        let mut listing = listing(None, false);
        let mut text = listing.elements(&rows()).unwrap();
        listing.rows = 2;
        text.push_str(&listing.elements(&rows()[..1]).unwrap());
        let list: Vec<Value> = serde_json::from_str(&format!("[{text}]")).unwrap();
        assert_eq!(list.len(), 3);
        assert_eq!(
            fields(&json!({ "a": 1, "b": {} })).unwrap(),
            "\"a\":1,\"b\":{}"
        );
        assert_eq!(fields(&Map::new()).unwrap(), "");
    }
}
