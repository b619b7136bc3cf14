//! The list of all options, and what the command line makes of them.

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{Args, Command, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use super::exit::Exit;
use super::settings::ExporterSettings;
use crate::api::options::ApiOptions;
use crate::build;
use crate::check::CheckOptions;
use crate::demo::{self, DemoOptions};
use crate::log_options::LogOptions;
use crate::lost::LostOptions;
use crate::options::variable;
use crate::poller::options::PollOptions;
use crate::replica::options::ReplicaOptions;
use crate::store::options::StoreOptions;
use crate::web_options::WebOptions;

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Subcommand)]
pub enum Task {
    /// Poll once and print what it shows: a first look at an account
    Check(CheckOptions),
    /// Read the logs once and print which events were lost and which are pending: what to replay
    Lost(LostOptions),
    /// Run against a simulated Cotalker on loopback; no account needed
    #[command(after_help = "The --cotalker.* flags have no effect here.")]
    Demo(DemoOptions),
    /// Exit with 0 if the running exporter is healthy; for exec probes
    Healthcheck,
}

/// A Prometheus exporter for the delivery logs of Cotalker webhooks
#[derive(Clone, Debug, Parser)]
#[command(name = "cotalker-webhook-exporter", disable_help_subcommand = true, max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    task: Option<Task>,
    #[command(flatten)]
    options: Options,
}

/// The options of all parts, in the order of the documentation.
#[derive(Args, Clone, Debug)]
struct Options {
    #[command(flatten)]
    api: ApiOptions,
    #[command(flatten)]
    poll: PollOptions,
    #[command(flatten)]
    replica: ReplicaOptions,
    #[command(flatten)]
    store: StoreOptions,
    #[command(flatten)]
    web: WebOptions,
    #[command(flatten)]
    log: LogOptions,
}

/// Reads the command line and the environment, and the files that they name.
///
/// # Errors
///
/// If the user asked for help, or gave something that is not allowed.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<(Option<Task>, ExporterSettings), Exit> {
    let is_void = |name: &str| std::env::var_os(name).is_some_and(|value| value.is_empty());
    let matches = command(is_void).try_get_matches_from(args).map_err(|error| Exit::of(&error))?;
    if matches.get_flag("version") {
        return Err(Exit::Text(version_text()));
    }
    let Cli { task, mut options } = Cli::from_arg_matches(&matches).map_err(|error| Exit::of(&error))?;
    let (needs_account, is_to_serve) = match task {
        None => (true, true),
        Some(Task::Check(_) | Task::Lost(_)) => (true, false),
        Some(Task::Demo(_)) => (false, true),
        Some(Task::Healthcheck) => (false, false),
    };
    if let Some(Task::Demo(_)) = task {
        let is_default = |id| matches.value_source(id) == Some(ValueSource::DefaultValue);
        options.poll.interval = if is_default("interval") { demo::INTERVAL } else { options.poll.interval };
        options.poll.history = if is_default("history") { demo::HISTORY } else { options.poll.history };
    }
    let (rate, interval) = (options.poll.rate, options.poll.interval);
    let settings = ExporterSettings {
        api: needs_account.then(|| options.api.build(rate, interval)).transpose()?,
        poll: options.poll.build(),
        replica: if is_to_serve { options.replica.build(interval, |name| std::env::var(name).ok())? } else { None },
        state_path: options.store.state_path,
        web: options.web.build(is_to_serve)?,
        log: options.log.build(),
    };
    Ok((task, settings))
}

/// The command line. A variable that `is_void` says is set to nothing does not count.
fn command(is_void: impl Fn(&str) -> bool) -> Command {
    let with_variable = |arg: clap::Arg| match arg.get_long().map(variable) {
        Some(name) if !is_void(&name) => arg.env(name),
        _ => arg,
    };
    let command = Cli::command()
        .version(build::VERSION)
        .disable_version_flag(true)
        .arg(
            clap::Arg::new("version")
                .long("version")
                .help("Print version, revision and build date")
                .action(clap::ArgAction::SetTrue),
        )
        .mut_args(|arg| {
            let is_ours = arg.get_long().is_some_and(|name| name.contains('.'));
            if is_ours { with_variable(arg).global(true).hide_env_values(true) } else { arg }
        })
        .mut_subcommands(|task| task.mut_args(|arg| with_variable(arg).hide_env_values(true)));
    let shared: Vec<clap::Arg> = command.get_arguments().filter(|arg| arg.is_global_set()).cloned().collect();
    // Every task takes every flag, for they share one environment; its help lists those that have an effect.
    command.mut_subcommands(|task| {
        let name = task.get_name().to_owned();
        let unused = shared.iter().filter(|arg| !has_effect(&name, arg.get_long().unwrap_or_default()));
        task.args(unused.map(|arg| arg.clone().hide(true)))
    })
}

/// Whether a shared flag (without its dashes) has an effect on the task with this name.
fn has_effect(task: &str, flag: &str) -> bool {
    match task {
        "check" | "lost" => {
            ["cotalker.", "webhook.", "poll.concurrency", "poll.rate", "log."].iter().any(|part| flag.starts_with(part))
        }
        "demo" => !flag.starts_with("cotalker."),
        "healthcheck" => flag == "web.listen-address",
        _ => true,
    }
}

/// The text of `--version`.
#[must_use]
pub fn version_text() -> String {
    format!(
        "cotalker-webhook-exporter, version {} (revision {}, built {}, rustc {})",
        build::VERSION,
        build::REVISION,
        build::DATE,
        build::RUSTC
    )
}

/// The whole command line, whatever the environment: for the manual page and the completions of shells.
#[must_use]
pub fn command_line() -> Command {
    command(|_| false)
}

/// A flag, as the documentation lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagDoc {
    /// Its name, with its dashes.
    pub flag: String,
    /// Its variable.
    pub variable: String,
    /// Its default; empty if it has none.
    pub default: String,
    /// What it means.
    pub help: String,
}

/// All flags, in the order of the documentation.
#[must_use]
pub fn flag_docs() -> Vec<FlagDoc> {
    let mut command = command(|_| false);
    command.build();
    let is_ours = |arg: &&clap::Arg| !matches!(arg.get_long(), None | Some("help" | "version"));
    let of_tasks = command.get_subcommands().flat_map(Command::get_arguments).filter(|arg| !arg.is_global_set());
    let mut docs: Vec<FlagDoc> = Vec::new();
    for arg in command.get_arguments().chain(of_tasks).filter(is_ours) {
        let doc = flag_doc(arg);
        // Two tasks may have the same flag.
        if !docs.contains(&doc) {
            docs.push(doc);
        }
    }
    docs
}

fn flag_doc(arg: &clap::Arg) -> FlagDoc {
    let name = arg.get_long().unwrap_or_default();
    let default: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    FlagDoc {
        flag: format!("--{name}"),
        variable: variable(name),
        default: if default == ["false"] { "off".to_owned() } else { default.join(",") },
        help: arg.get_help().map(ToString::to_string).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use delivery_ledger::History;

    use super::*;

    fn refused(args: &[&str]) -> String {
        let args = [&["cotalker-webhook-exporter"], args].concat();
        match parse(args.into_iter().map(OsString::from)) {
            Err(Exit::Refused(line)) => line,
            other => panic!("{other:?}"),
        }
    }

    fn demo_settings(args: &[&str]) -> ExporterSettings {
        let args = [&["cotalker-webhook-exporter", "demo"], args].concat();
        parse(args.into_iter().map(OsString::from)).expect("a configuration").1
    }

    #[test]
    fn a_bad_value_is_told_in_one_line_with_flag_value_and_what_is_allowed() {
        for (flag, value, allowed) in [
            ("--cotalker.base-url", "ftp://x", "an http or https URL"),
            ("--cotalker.base-url", "https://x/?a=b", "without user, query or fragment"),
            ("--cotalker.timeout", "0s", "a duration from 1ms to 1h"),
            ("--cotalker.timeout", "30", "such as 30s"),
            ("--cotalker.max-response-size", "huge", "64MiB"),
            ("--cotalker.company", "a\nb", "the id of a company"),
            ("--cotalker.admin", "perhaps", "use true or false"),
            ("--webhook.id", "abc", "24 hexadecimal digits"),
            ("--webhook.include", "a(", "a regular expression (unclosed group)"),
            ("--webhook.exclude", ")|(", "a regular expression"),
            ("--webhook.limit", "0", "a whole number from 1 up"),
            ("--webhook.max-retries", "-1", "a whole number from 0 up"),
            ("--webhook.pending-timeout", "soon", "a duration"),
            ("--poll.interval", "999ms", "a duration from 1s to 1day"),
            ("--poll.concurrency", "0", "a whole number from 1 up"),
            ("--poll.rate", "-1", "or 0 for no limit"),
            ("--poll.rate", "NaN", "or 0 for no limit"),
            ("--poll.history", "some", "ignore or count"),
            ("--replica.lease", "My_Lease", "the name of a Lease"),
            ("--replica.standby-interval", "0s", "a duration from 1s to 1day"),
            ("--web.listen-address", "localhost", "host:port"),
            ("--web.listen-address", "::1:80", "host:port"),
            ("--web.listen-address", "x:99999", "host:port"),
            ("--web.telemetry-path", "metrics", "a path such as /metrics"),
            ("--web.telemetry-path", "/-/ready", "other than"),
            ("--log.level", "warning", "error, warn, info, debug, trace, or a tracing filter"),
            ("--log.level", "x=y=z", "or a tracing filter"),
            ("--log.format", "xml", "logfmt or json"),
        ] {
            let line = refused(&[&format!("{flag}={value}")]);
            let name = variable(flag.trim_start_matches('-'));
            assert!(line.starts_with(&format!("{flag} (or {name}): {value:?} is not allowed; use ")), "{line}");
            assert!(line.contains(allowed) && line.lines().count() == 1, "{line}");
        }
    }

    #[test]
    fn a_password_in_the_base_url_is_refused_unseen() {
        let line = refused(&["--cotalker.base-url=https://me:s3cret@x"]);
        assert!(line.starts_with("--cotalker.base-url") && !line.contains("s3cret"), "{line}");
    }

    #[test]
    fn what_is_no_flag_is_told_in_one_line() {
        for (args, advice) in [
            (&["--poll.intervall=1s"][..], "did you mean --poll.interval?"),
            (&["demo", "--demo.sped=2"], "did you mean --demo.speed?"),
            (&["--cotalker.token=s3cret"], "did you mean --cotalker.token-file?"),
            (&["chek"], "did you mean check?"),
            (&["frobnicate"], "see --help"),
            (&["--poll.interval"], "see --help"),
        ] {
            let line = refused(args);
            assert!(line.ends_with(&format!("; {advice}")) && line.lines().count() == 1, "{line}");
            assert!(!line.contains("s3cret"), "{line}");
        }
    }

    #[test]
    fn flags_stand_before_or_behind_the_task_and_repeat() {
        for args in [["--poll.interval=5s", "demo"], ["demo", "--poll.interval=5s"]] {
            let args =
                [&["cotalker-webhook-exporter", "--web.listen-address=:1,:2", "--web.listen-address=:3"][..], &args]
                    .concat();
            let (task, settings) = parse(args.into_iter().map(OsString::from)).expect("a configuration");
            assert_eq!(task, Some(Task::Demo(DemoOptions { speed: 1.0 })));
            assert_eq!(settings.poll.interval, Duration::from_secs(5));
            assert_eq!(settings.web.listen.len(), 3);
        }
        assert_eq!(demo_settings(&[]).poll.interval, demo::INTERVAL);
        assert_eq!(demo_settings(&["--poll.history=ignore"]).poll.history, History::Ignore);
    }

    #[test]
    fn the_help_of_a_task_lists_what_has_an_effect_on_it_and_the_rest_is_taken_all_the_same() {
        let help = |task: &str| match parse(["cotalker-webhook-exporter", task, "--help"].map(OsString::from)) {
            Err(Exit::Text(text)) => text,
            other => panic!("{other:?}"),
        };
        let lists = |task: &str, flags: &[&str]| {
            let text = help(task);
            flags.iter().map(|flag| text.contains(&format!("--{flag}"))).collect::<Vec<_>>()
        };
        let flags = ["cotalker.token-file", "webhook.include", "poll.rate", "poll.history", "web.listen-address"];
        assert_eq!(lists("check", &flags), [true, true, true, false, false]);
        assert_eq!(lists("lost", &flags), [true, true, true, false, false]);
        assert_eq!(lists("demo", &flags), [false, true, true, true, true]);
        assert_eq!(lists("healthcheck", &flags), [false, false, false, false, true]);
        let args = ["cotalker-webhook-exporter", "healthcheck", "--poll.rate=1", "--web.listen-address=:7"];
        let (task, settings) = parse(args.map(OsString::from)).expect("a configuration");
        assert_eq!((task, settings.web.listen[0].port), (Some(Task::Healthcheck), 7));
    }

    #[test]
    fn every_flag_is_documented() {
        let docs = flag_docs();
        assert!(docs.iter().all(|flag| !flag.help.is_empty()), "{docs:?}");
        assert!(docs.iter().any(|flag| flag.flag == "--demo.speed"));
    }
}
