//! Standard input, line by line, on a thread of its own: reading may wait for ever.

use std::io::{self, BufRead, BufReader, Read};
use std::thread;

use tokio::sync::mpsc;

use super::{BATCH, BATCH_BYTES};

/// The longest line: more than the largest envelope can be of JSON.
const LONGEST_LINE: usize = 64 * 1024 * 1024;

/// Bytes that one read asks for.
const BUFFER: usize = 64 * 1024;

/// A line, and its number from 1.
#[derive(Debug, PartialEq)]
pub(super) struct Line {
    pub(super) number: u64,
    /// Its text, or why it has none.
    pub(super) text: Result<String, String>,
    /// What it takes of memory.
    pub(super) bytes: usize,
}

/// Lines that were at hand together; the last may say why there are no more.
pub(super) type Lines = io::Result<Vec<Line>>;

/// Begins to read. The channel ends with the input, or behind the error that ended it.
pub(super) fn read() -> mpsc::Receiver<Lines> {
    let (sender, lines) = mpsc::channel(1);
    thread::spawn(move || {
        let mut input = Input::new(io::stdin().lock());
        loop {
            let lines = input.at_hand();
            let last = !matches!(&lines, Ok(lines) if !lines.is_empty());
            if last && lines.is_ok() {
                return;
            }
            // Who is not listened to any more has nothing left to do.
            if sender.blocking_send(lines).is_err() || last {
                return;
            }
        }
    });
    lines
}

struct Input<R> {
    input: BufReader<R>,
    number: u64,
    /// An error that came behind lines which are to be told first.
    broken: Option<io::Error>,
}

impl<R: Read> Input<R> {
    fn new(input: R) -> Self {
        Self {
            input: BufReader::with_capacity(BUFFER, input),
            number: 0,
            broken: None,
        }
    }

    /// Waits for the next line, and takes those behind it that need no waiting; none at the end.
    fn at_hand(&mut self) -> Lines {
        if let Some(error) = self.broken.take() {
            return Err(error);
        }
        let (mut lines, mut bytes) = (Vec::new(), 0);
        loop {
            match self.line() {
                Ok(Some(line)) => {
                    bytes += line.bytes;
                    lines.push(line);
                }
                Ok(None) => return Ok(lines),
                Err(error) if lines.is_empty() => return Err(error),
                Err(error) => {
                    self.broken = Some(error);
                    return Ok(lines);
                }
            }
            let more = self.input.buffer().contains(&b'\n');
            if !more || lines.len() >= BATCH || bytes >= BATCH_BYTES {
                return Ok(lines);
            }
        }
    }

    fn line(&mut self) -> io::Result<Option<Line>> {
        let mut bytes = Vec::new();
        let most = LONGEST_LINE as u64;
        let read = (&mut self.input).take(most).read_until(b'\n', &mut bytes)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        let too_long = read == LONGEST_LINE && !bytes.ends_with(b"\n");
        let text = if too_long {
            self.skip_line()?;
            Err(format!("longer than {LONGEST_LINE} bytes"))
        } else {
            String::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())
        };
        let number = self.number;
        let bytes = text.as_ref().map_or(0, String::len);
        Ok(Some(Line {
            number,
            text,
            bytes,
        }))
    }

    /// Passes over the rest of a line.
    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.input.fill_buf()?;
            let end = buffer.iter().position(|&byte| byte == b'\n');
            let passed = end.map_or(buffer.len(), |end| end + 1);
            let is_over = end.is_some() || buffer.is_empty();
            self.input.consume(passed);
            if is_over {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(text: &str, reads: usize) -> Vec<usize> {
        let mut input = Input::new(text.as_bytes());
        let mut size = || input.at_hand().unwrap().len();
        (0..reads).map(|_| size()).collect()
    }

    #[test]
    fn at_most_a_batch_is_taken_at_once() {
        assert_eq!(sizes(&"{}\n".repeat(2500), 4), [1000, 1000, 500, 0]);
        let large = format!("{}\n", "x".repeat(3 << 20)).repeat(3);
        let taken = sizes(&large, 4);
        assert_eq!(taken.iter().sum::<usize>(), 3, "{taken:?}");
        assert!(taken.iter().all(|&lines| lines <= 2), "{taken:?}");
    }

    /// Gives its parts one by one, as a pipe does.
    struct Parts(Vec<io::Result<&'static [u8]>>);

    impl Read for Parts {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            let part = self.0.remove(0)?;
            buffer[..part.len()].copy_from_slice(part);
            Ok(part.len())
        }
    }

    #[test]
    fn no_line_waits_for_those_that_are_not_there_yet() {
        let parts = [b"a\nb\nhal".as_slice(), b"f\n", b"c"].map(Ok);
        let mut input = Input::new(Parts(parts.into()));
        for expected in [&["a\n", "b\n"][..], &["half\n"], &["c"], &[]] {
            let lines = input.at_hand().unwrap();
            let texts: Vec<_> = lines.iter().map(|line| line.text.as_deref()).collect();
            let expected: Vec<_> = expected.iter().copied().map(Ok).collect();
            assert_eq!(texts, expected, "{lines:?}");
        }
    }

    #[test]
    fn what_is_no_text_is_told_and_what_follows_is_read() {
        let mut input = Input::new(&b"a\n\xff\nc\n"[..]);
        let lines = input.at_hand().unwrap();
        let texts: Vec<_> = lines.iter().map(|line| line.text.as_deref()).collect();
        assert_eq!(texts, [Ok("a\n"), Err(&"not UTF-8".to_owned()), Ok("c\n")]);
        let numbers: Vec<_> = lines.iter().map(|line| line.number).collect();
        assert_eq!(numbers, [1, 2, 3]);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let long = format!("{}\nb\n", "x".repeat(LONGEST_LINE + 7));
        let mut input = Input::new(long.as_bytes());
        let lines: Vec<_> = (0..3).flat_map(|_| input.at_hand().unwrap()).collect();
        assert!(lines[0].text.as_ref().unwrap_err().contains("longer than"));
        let second = (lines[1].number, lines[1].text.as_deref());
        assert_eq!((lines.len(), second), (2, (2, Ok("b\n"))));
    }

    #[test]
    fn an_error_comes_behind_the_lines_before_it() {
        let parts = vec![Ok(&b"a\nb"[..]), Err(io::Error::other("torn"))];
        let mut input = Input::new(Parts(parts));
        assert_eq!(input.at_hand().unwrap().len(), 1);
        assert_eq!(input.at_hand().unwrap_err().to_string(), "torn");
    }
}
