//! A thread of its own for the store: a disk that takes its time holds up nothing else, and neither a name lookup that
//! hangs nor the end of the process gets between a commit and its end.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::keeper::Store;
use super::record::Records;

/// The thread's name, as the system shows it.
pub const THREAD: &str = "checkpoint";

/// A commit that has not ended after this long has failed, as far as its caller is concerned. Source:
/// docs/specification.md, "Durable before visible": polling goes on.
const PATIENCE: Duration = Duration::from_secs(30);

/// Hands checkpoints to the thread that writes them. The thread ends, and the store is free, when this is dropped and the
/// commit that may be under way has ended.
#[derive(Debug)]
pub struct Writer {
    jobs: mpsc::Sender<Job>,
    /// Whether a commit is under way: none is queued behind one that hangs.
    is_busy: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Job {
    records: Records,
    done: oneshot::Sender<io::Result<()>>,
}

/// Resolves when the thread has ended, however it did.
pub type Ended = oneshot::Receiver<()>;

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// If the system has none left.
    pub fn start(mut store: Store) -> io::Result<(Self, Ended)> {
        let (jobs, taken) = mpsc::channel::<Job>();
        let (alive, ended) = oneshot::channel::<()>();
        let is_busy = Arc::new(AtomicBool::new(false));
        let busy = Arc::clone(&is_busy);
        thread::Builder::new().name(THREAD.to_owned()).spawn(move || {
            // Dropped last, by a panic too.
            let _alive = alive;
            for Job { records, done } in taken {
                let committed = store.commit(&records);
                busy.store(false, Ordering::SeqCst);
                if let Err(Ok(())) = done.send(committed) {
                    // Nobody waits if the exporter is being stopped, or if this took too long.
                    tracing::debug!("a checkpoint write finished after its timeout");
                }
            }
            drop(store);
        })?;
        Ok((Self { jobs, is_busy }, ended))
    }

    /// Makes these records the checkpoint; see [`Store::commit`]. If the disk hangs, that is an error after 30 s, and at
    /// once for every further call until the commit that hangs has ended. It goes on meanwhile, and its checkpoint may
    /// become durable late.
    ///
    /// # Errors
    ///
    /// If that can't be said, or the thread is gone.
    pub async fn commit(&self, records: Records) -> io::Result<()> {
        let gone = || io::Error::other("the thread that writes checkpoints is gone");
        if self.is_busy.swap(true, Ordering::SeqCst) {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the disk hangs: the previous write has not finished"));
        }
        let (done, result) = oneshot::channel();
        self.jobs.send(Job { records, done }).map_err(|_| gone())?;
        match timeout(PATIENCE, result).await {
            Ok(committed) => committed.map_err(|_| gone())?,
            Err(_) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("the disk hangs: the write has not ended after {}", humantime::format_duration(PATIENCE)),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use delivery_ledger::UnixMillis;

    use super::super::disk::Disk;
    use super::*;

    /// A disk whose every write waits for a word. It keeps nothing.
    #[derive(Debug)]
    struct SlowDisk {
        go_on: mpsc::Receiver<()>,
        writes: mpsc::Sender<()>,
    }

    impl Disk for SlowDisk {
        fn read(&self, _name: &str) -> io::Result<Option<Vec<u8>>> {
            Ok(None)
        }

        fn replace(&mut self, _name: &str, _pieces: &[&[u8]]) -> io::Result<()> {
            self.writes.send(()).map_err(io::Error::other)?;
            self.go_on.recv().map_err(io::Error::other)
        }

        fn keep_as(&mut self, _name: &str, _second: &str) -> io::Result<()> {
            Ok(())
        }

        fn read_around(&self, _name: &str) -> io::Result<Option<Vec<u8>>> {
            Ok(None)
        }

        fn append(&mut self, _name: &str, _at: u64, _bytes: &[u8]) -> io::Result<()> {
            Ok(())
        }

        fn cut(&mut self, _name: &str, _length: u64) -> io::Result<()> {
            Ok(())
        }

        fn sync(&mut self, _name: &str) -> io::Result<()> {
            Ok(())
        }

        fn remove(&mut self, _name: &str) -> io::Result<()> {
            Ok(())
        }

        fn names(&self) -> io::Result<Vec<String>> {
            Ok(Vec::new())
        }

        fn rename(&mut self, _from: &str, _to: &str) -> io::Result<()> {
            Ok(())
        }

        fn sync_names(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_hangs_has_failed_after_30_seconds_and_none_piles_up_behind_it() {
        let (word, go_on) = mpsc::channel();
        let (writes, begun) = mpsc::channel();
        let (store, ..) = Store::on(Box::new(SlowDisk { go_on, writes }), UnixMillis::MIN).expect("a store");
        let (writer, ended) = Writer::start(store).expect("a thread");
        let since = tokio::time::Instant::now();
        let error = writer.commit(Records::default()).await.expect_err("a disk that hangs");
        assert_eq!(since.elapsed().as_secs(), 30);
        assert_eq!(error.to_string(), "the disk hangs: the write has not ended after 30s");
        for _ in 0..3 {
            let error = writer.commit(Records::default()).await.expect_err("a disk that hangs");
            assert_eq!(error.to_string(), "the disk hangs: the previous write has not finished");
        }
        assert_eq!(since.elapsed().as_secs(), 30, "no further call waits");

        tokio::time::resume();
        // It ends at last, late and well; then writes work again.
        word.send(()).expect("a thread");
        while writer.is_busy.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        word.send(()).expect("a thread");
        writer.commit(Records::default()).await.expect("written");
        drop(writer);
        ended.await.expect_err("the thread has ended");
        assert_eq!(begun.iter().count(), 2, "only what was awaited first, and the last");
    }
}
