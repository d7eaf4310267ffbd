//! A bounded queue of lines in front of an output.

use std::io::{self, ErrorKind, Write};
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// The most bytes that wait to be written. When they are reached, further lines are lost.
const MAX_WAITING_BYTES: usize = 1 << 20;

/// The most bytes that an empty queue keeps allocated.
const MAX_KEPT_BYTES: usize = 64 << 10;

/// How long the end of the program waits for the output to take the last lines.
const LAST_LINES: Duration = Duration::from_millis(500);

/// Lines that wait to be written. Clones share them.
///
/// Writing to it never fails and never waits for the output. Each write is taken as a whole or lost as a whole.
#[derive(Clone, Debug, Default)]
pub(super) struct LineQueue(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    waiting: Mutex<Waiting>,
    /// There are lines, or there will be no more.
    added: Condvar,
    /// Everything is written.
    emptied: Condvar,
    lost: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct Waiting {
    text: Vec<u8>,
    /// Lines were taken from here and are being written.
    is_writing: bool,
    is_closed: bool,
}

impl LineQueue {
    /// Returns how many lines were lost; it goes on counting.
    pub(super) fn lost(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.0.lost)
    }

    /// Writes the lines to an output, on a thread. When the output works again after lines were lost, `report` gets
    /// their number.
    pub(super) fn write_to(
        &self,
        output: impl Write + Send + 'static,
        report: impl Fn(u64) + Send + 'static,
    ) -> io::Result<Writing> {
        let lines = self.clone();
        thread::Builder::new().name("log".to_owned()).spawn(move || lines.run(output, report))?;
        Ok(Writing(self.clone()))
    }

    fn run(&self, mut output: impl Write, report: impl Fn(u64)) {
        let mut reported = 0;
        let mut is_torn = false;
        let mut batch = Vec::new();
        while self.take(&mut batch) {
            // A line that was cut off must not run into the next one.
            if is_torn && output.write_all(b"\n").is_ok() {
                is_torn = false;
            }
            let written = write(&mut output, &batch);
            let rest = &batch[written..];
            is_torn |= written > 0 && batch[written - 1] != b'\n';
            self.0.lost.fetch_add(lines_in(rest), Ordering::Relaxed);
            let works = rest.is_empty();
            batch.clear();
            batch.shrink_to(MAX_KEPT_BYTES);
            let lost = self.0.lost.load(Ordering::Relaxed);
            if works && lost > reported {
                report(lost - reported);
                reported = lost;
            }
            self.wrote();
        }
    }

    /// Waits for lines and takes all there are. Returns false if there will be no more.
    fn take(&self, batch: &mut Vec<u8>) -> bool {
        let mut waiting = self.0.waiting.lock();
        while waiting.text.is_empty() && !waiting.is_closed {
            self.0.added.wait(&mut waiting);
        }
        mem::swap(batch, &mut waiting.text);
        waiting.is_writing = !batch.is_empty();
        waiting.is_writing
    }

    fn wrote(&self) {
        let mut waiting = self.0.waiting.lock();
        waiting.is_writing = false;
        if waiting.text.is_empty() {
            self.0.emptied.notify_all();
        }
    }
}

impl Write for LineQueue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.0.waiting.lock();
        if waiting.is_closed || waiting.text.len() + line.len() > MAX_WAITING_BYTES {
            drop(waiting);
            self.0.lost.fetch_add(lines_in(line), Ordering::Relaxed);
        } else {
            waiting.text.extend_from_slice(line);
            drop(waiting);
            self.0.added.notify_one();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The thread that writes. Dropping this waits until everything is written, but not for an output that stands still:
/// the thread ends when that goes on, or with the process.
#[derive(Debug)]
pub(super) struct Writing(LineQueue);

impl Drop for Writing {
    fn drop(&mut self) {
        let Inner { waiting, added, emptied, .. } = &*self.0.0;
        let mut waiting = waiting.lock();
        emptied.wait_while_for(
            &mut waiting,
            |waiting| waiting.is_writing || !waiting.text.is_empty(),
            LAST_LINES,
        );
        waiting.is_closed = true;
        added.notify_one();
    }
}

/// Writes as much as the output takes, and returns how many bytes that was.
fn write(output: &mut impl Write, bytes: &[u8]) -> usize {
    let mut written = 0;
    while written < bytes.len() {
        match output.write(&bytes[written..]) {
            Ok(0) => break,
            Ok(count) => written += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    written
}

fn lines_in(text: &[u8]) -> u64 {
    text.split(|&byte| byte == b'\n').count() as u64 - 1
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};

    use super::*;

    /// Long enough for any machine; only a failing test waits for it.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// What becomes of a write: so many bytes are taken, or none and an error.
    type Answer = Result<usize, ErrorKind>;

    /// An output that hands each write to the test, and waits for what becomes of it.
    struct Scripted(SyncSender<Vec<u8>>, Receiver<Answer>);

    impl Write for Scripted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let gone = || io::Error::from(ErrorKind::BrokenPipe);
            self.0.send(bytes.to_vec()).map_err(|_| gone())?;
            self.1.recv().map_err(|_| gone())?.map(|most| bytes.len().min(most)).map_err(Into::into)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Script {
        lines: LineQueue,
        writes: Receiver<Vec<u8>>,
        answers: SyncSender<Answer>,
        reports: Receiver<u64>,
        _writing: Writing,
    }

    impl Script {
        fn start() -> Self {
            let (writes, answers, reports) = (sync_channel(0), sync_channel(0), sync_channel(10));
            let lines = LineQueue::default();
            let report = move |lost| reports.0.send(lost).unwrap();
            let writing = lines.write_to(Scripted(writes.0, answers.1), report).unwrap();
            Self { lines, writes: writes.1, answers: answers.0, reports: reports.1, _writing: writing }
        }

        fn log(&self, line: &str) {
            self.lines.clone().write_all(line.as_bytes()).unwrap();
        }

        /// Waits for a write, says what becomes of it, and returns what was to be written.
        fn answer(&self, answer: Answer) -> String {
            let written = self.writes.recv_timeout(PATIENCE).expect("something is written");
            self.answers.send(answer).unwrap();
            String::from_utf8(written).unwrap()
        }

        fn lost(&self) -> u64 {
            self.lines.lost().load(Ordering::Relaxed)
        }
    }

    const ALL: Answer = Ok(usize::MAX);

    #[test]
    fn lines_that_wait_are_written_together_and_in_order() {
        let script = Script::start();
        script.log("a\n");
        assert_eq!(script.writes.recv_timeout(PATIENCE).unwrap(), b"a\n");
        script.log("b\n");
        script.log("c\n");
        script.answers.send(ALL).unwrap();
        assert_eq!(script.answer(ALL), "b\nc\n");
        assert_eq!(script.lost(), 0);
    }

    #[test]
    fn a_slow_output_costs_lines_and_nobody_waits_for_it() {
        let script = Script::start();
        script.log("a\n");
        assert_eq!(script.writes.recv_timeout(PATIENCE).unwrap(), b"a\n");
        let line = "x".repeat(MAX_WAITING_BYTES / 4 - 1) + "\n";
        for _ in 0..7 {
            script.log(&line);
        }
        assert_eq!(script.lost(), 3);
        script.answers.send(ALL).unwrap();
        assert_eq!(script.reports.recv_timeout(PATIENCE), Ok(3));
        assert_eq!(script.answer(ALL), line.repeat(4));
    }

    #[test]
    fn lost_lines_are_counted_and_reported_once_the_output_works_again() {
        let script = Script::start();
        for error in [ErrorKind::BrokenPipe, ErrorKind::StorageFull] {
            script.log("lost\nlost\n");
            assert_eq!(script.answer(Err(error)), "lost\nlost\n");
        }
        assert_eq!(script.reports.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Timeout));
        script.log("written\n");
        assert_eq!(script.answer(ALL), "written\n");
        assert_eq!(script.reports.recv_timeout(PATIENCE), Ok(4));
        assert_eq!(script.lost(), 4);
    }

    #[test]
    fn a_line_that_was_cut_off_does_not_run_into_the_next_one() {
        let script = Script::start();
        script.log("long line\n");
        assert_eq!(script.answer(Ok(4)), "long line\n");
        assert_eq!(script.answer(Err(ErrorKind::StorageFull)), " line\n");
        script.log("next\n");
        assert_eq!(script.answer(ALL), "\n");
        assert_eq!(script.answer(ALL), "next\n");
        assert_eq!(script.reports.recv_timeout(PATIENCE), Ok(1));
    }

    #[test]
    fn an_interrupted_write_is_made_again() {
        let script = Script::start();
        script.log("a\n");
        assert_eq!(script.answer(Err(ErrorKind::Interrupted)), "a\n");
        assert_eq!(script.answer(ALL), "a\n");
        assert_eq!(script.lost(), 0);
    }
}
