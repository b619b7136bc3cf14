//! Arguments, log, runtime, exit code. Everything else is in the library.

use std::process::ExitCode;

use cotalker_webhook_exporter::config::{self, Exit};
use cotalker_webhook_exporter::{app, crash, terminal};

/// Polling waits for the network, and serving hands out what is ready: two threads are enough on any machine.
const WORKER_THREADS: usize = 2;

/// musl's own asks the system for memory for each connection, and gives it back.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    let (task, settings) = match config::parse(std::env::args_os()) {
        Ok(parsed) => parsed,
        Err(Exit::Text(text)) => {
            terminal::say(&text);
            return ExitCode::SUCCESS;
        }
        Err(Exit::Refused(line)) => {
            terminal::complain(&line);
            return ExitCode::from(2);
        }
    };
    settings.log.install();
    crash::end_at_panics();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(WORKER_THREADS).enable_all().build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            terminal::complain(&format!("failed to start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let exit = runtime.block_on(app::run(task, settings));
    // A name lookup that hangs must not keep the process.
    runtime.shutdown_background();
    terminal::finish_log();
    exit
}
