//! Arguments, log, runtime, exit code; everything else is the library's.

use std::process::ExitCode;

use cotalker_webhook_exporter::app;
use cotalker_webhook_exporter::config::{self, Exit};

/// Polling waits for the network, and serving hands out what is ready: two threads do, on a machine of any size.
const WORKER_THREADS: usize = 2;

fn main() -> ExitCode {
    let (task, config) = match config::parse(std::env::args_os()) {
        Ok(parsed) => parsed,
        Err(Exit::Text(text)) => {
            app::say(&text);
            return ExitCode::SUCCESS;
        }
        Err(Exit::Refused(line)) => {
            app::complain(&line);
            return ExitCode::from(2);
        }
    };
    config.log.install();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(WORKER_THREADS).enable_all().build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            app::complain(&format!("failed to start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let exit = runtime.block_on(app::run(task, config));
    // A name lookup that hangs must not keep the process.
    runtime.shutdown_background();
    exit
}
