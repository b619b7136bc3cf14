//! Log lines on their way to standard error: nobody waits for whoever reads it.
//!
//! A pipe that nobody reads is full after a while, and a write to it never returns. So a thread of its own writes, and
//! when it has fallen too far behind lines are dropped and counted.

use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// The most lines that wait to be written: several times what a start or a bad poll
/// logs. A convention.
const LINES: usize = 256;

/// The time between two looks for room in a full queue, at the end of the process.
const LOOK_EVERY: Duration = Duration::from_millis(10);

static QUEUE: OnceLock<SyncSender<Message>> = OnceLock::new();
static DROPPED: AtomicU64 = AtomicU64::new(0);

enum Message {
    Line(Vec<u8>),
    /// All lines before it are written; says so.
    Mark(SyncSender<()>),
}

/// Takes whole lines for standard error, and never waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogQueue;

impl LogQueue {
    /// Starts the thread that writes. Without one, where the system has none left, lines are written directly.
    pub(super) fn start() -> Self {
        let (queue, taken) = sync_channel(LINES);
        if thread::Builder::new().name("log".to_owned()).spawn(move || write(&taken)).is_ok() {
            // An error means that there is a thread already.
            let _ = QUEUE.set(queue);
        }
        Self
    }
}

fn write(taken: &Receiver<Message>) {
    for message in taken {
        match message {
            // If it cannot be written, there is no place to report that.
            Message::Line(line) => drop(io::stderr().write_all(&line)),
            Message::Mark(written) => drop(written.send(())),
        }
    }
}

impl Write for LogQueue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match QUEUE.get() {
            Some(queue) => {
                if queue.try_send(Message::Line(line.to_vec())).is_err() {
                    DROPPED.fetch_add(1, Ordering::Relaxed);
                }
                Ok(line.len())
            }
            None => io::stderr().write(line),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for LogQueue {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        *self
    }
}

/// How many lines were dropped since the start.
pub(super) fn dropped() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

/// Waits until all lines so far are written: as long as `longest` for room in the queue, and as long again for the writes.
pub fn flush_log(longest: Duration) {
    let Some(queue) = QUEUE.get() else { return };
    let (mark, written) = sync_channel(1);
    let mut waited = Duration::ZERO;
    while queue.try_send(Message::Mark(mark.clone())).is_err() {
        if waited >= longest {
            return;
        }
        thread::sleep(LOOK_EVERY);
        waited += LOOK_EVERY;
    }
    // An error means that time is up.
    let _ = written.recv_timeout(longest);
}
