//! A thread of its own for the store: a disk that takes its time holds up nothing else, and neither a name lookup that
//! hangs nor the end of the process gets between a commit and its end.

use std::io;
use std::sync::mpsc;
use std::thread;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::Store;

/// The thread's name, as the system shows it.
pub const THREAD: &str = "checkpoint";

/// Hands checkpoints to the thread that writes them. The thread ends, and the store is free, when this is dropped and the
/// commit that may be under way has ended.
#[derive(Debug)]
pub struct Writer {
    jobs: mpsc::Sender<Job>,
}

#[derive(Debug)]
struct Job {
    records: Vec<Bytes>,
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
        thread::Builder::new().name(THREAD.to_owned()).spawn(move || {
            // Dropped last, by a panic too.
            let _alive = alive;
            for Job { records, done } in taken {
                // Nobody waits if the exporter is being stopped.
                let _ = done.send(store.commit(&records));
            }
            drop(store);
        })?;
        Ok((Self { jobs }, ended))
    }

    /// Makes these records the checkpoint; see [`Store::commit`].
    ///
    /// # Errors
    ///
    /// If that can't be said, or the thread is gone.
    pub async fn commit(&self, records: Vec<Bytes>) -> io::Result<()> {
        let gone = || io::Error::other("the thread that writes checkpoints is gone");
        let (done, result) = oneshot::channel();
        self.jobs.send(Job { records, done }).map_err(|_| gone())?;
        result.await.map_err(|_| gone())?
    }
}
