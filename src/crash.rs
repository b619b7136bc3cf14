//! What a panic does: a line in the log that says where and why, and the end of the process.
//!
//! What has panicked is wrong about something, and nobody knows about what. Counts that are durable are safe, so starting
//! anew is better than going on: systemd and Kubernetes do it, and show the line. A build that unwinds does the same.

use std::panic::{self, PanicHookInfo};
use std::process;

use crate::terminal;

/// The exit status, as of all Rust programs that panic.
pub const STATUS: u8 = 101;

/// Ends the process at the first panic of any thread from now on.
pub fn end_at_panics() {
    panic::set_hook(Box::new(|panic| {
        let (thread, place) = (std::thread::current().name().unwrap_or("unnamed").to_owned(), place(panic));
        let why = why(panic);
        if tracing::enabled!(tracing::Level::ERROR) {
            tracing::error!(thread, place, why, "crashed: this is a bug, please report it");
            terminal::finish_log();
        } else {
            terminal::complain(&format!("crashed: this is a bug, please report it: {why}, at {place}"));
        }
        process::exit(STATUS.into());
    }));
}

fn place(panic: &PanicHookInfo<'_>) -> String {
    panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string)
}

/// The message if it stands in the source. One that was put together may hold anything: a token, a response's body.
fn why<'a>(panic: &PanicHookInfo<'a>) -> &'a str {
    let written = panic.payload().downcast_ref::<&'static str>();
    written.copied().unwrap_or("a message with data in it, which is not shown")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::telemetry::{LogConfig, LogFormat};

    /// The name of the variable that says how [`a_process_that_panics`] panics.
    const HOW: &str = "PANICS";

    #[test]
    #[ignore = "started by the test below, as a process of its own"]
    fn a_process_that_panics() {
        let Ok(how) = std::env::var(HOW) else { return };
        if how != "silent" {
            LogConfig { filter: "info".to_owned(), format: LogFormat::Json }.install();
        }
        end_at_panics();
        let panics = move || match how.as_str() {
            "index" => {
                let empty: &[u8] = std::hint::black_box(&[]);
                std::hint::black_box(empty[how.len()]);
            }
            "data" => panic!("the token is {how}-s3cret"),
            _ => panic!("a cow is no horse"),
        };
        let _ = std::thread::Builder::new().name("stable".to_owned()).spawn(panics).expect("a thread").join();
        unreachable!("the process has ended");
    }

    fn crashed(how: &str) -> (Option<i32>, String) {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["--exact", "crash::tests::a_process_that_panics", "--ignored", "--nocapture"]).env(HOW, how);
        let output = command.output().expect("started");
        (output.status.code(), String::from_utf8(output.stderr).expect("text"))
    }

    #[test]
    fn a_panic_is_one_line_that_says_where_and_why_and_holds_no_data() {
        for (how, why) in [
            ("plain", "a cow is no horse"),
            ("data", "a message with data in it, which is not shown"),
            ("index", "a message with data in it, which is not shown"),
        ] {
            let (status, log) = crashed(how);
            assert_eq!((status, log.lines().count()), (Some(101), 1), "{log}");
            let line: serde_json::Value = serde_json::from_str(&log).expect("a line of the log");
            assert_eq!((line["level"].as_str(), line["why"].as_str()), (Some("ERROR"), Some(why)), "{log}");
            assert_eq!(line["thread"], "stable");
            let place = line["place"].as_str().expect("a place");
            assert!(place.starts_with("src/crash.rs:"), "{place}");
        }
    }

    #[test]
    fn one_that_logs_nothing_says_it_all_the_same() {
        let (status, text) = crashed("silent");
        assert_eq!((status, text.lines().count()), (Some(101), 1), "{text}");
        assert!(
            text.starts_with("cotalker-webhook-exporter: crashed: ")
                && text.contains("a cow is no horse, at src/crash.rs:"),
            "{text}"
        );
    }
}
