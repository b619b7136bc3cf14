//! Flags and variables → a validated configuration; each part owns its own.
//!
//! A flag's variable follows from its name, and a flag beats its variable. A variable that is set to nothing counts as
//! not set, as in Kubernetes manifests. Secrets come from files or the environment only, never from a flag.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytesize::ByteSize;
use clap::builder::BoolishValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, Command, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use http::HeaderValue;
use regex::Regex;
use url::Url;

use crate::api;
use crate::api::credentials::{Credentials, parse_token, read_password, read_token};
use crate::build;
use crate::poller::{self, Filter};
use crate::telemetry::{LogConfig, LogFormat};
use delivery_ledger::History;
use delivery_ledger::Policy;
use delivery_ledger::WebhookId;
use exporter_web::{ListenAddress, WebConfigFile};

/// The variable that holds the token itself.
pub const TOKEN_VARIABLE: &str = "COTALKER_TOKEN";

/// The default of `--web.listen-address`.
pub const DEFAULT_LISTEN_ADDRESS: &str = ":10942";

/// The interval of the demo, where none is given: a newcomer should see figures move. A convention.
const DEMO_INTERVAL: Duration = Duration::from_secs(2);

/// Bounds that keep sums of times far from overflowing. A convention.
const LONGEST_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);
const LONGEST_PENDING: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Subcommand)]
pub enum Task {
    /// Poll once and print a table: for the first contact with an account
    Check,
    /// Run against a simulated Cotalker on loopback; no account needed
    Demo(DemoFlags),
    /// Ask the running daemon whether it works, for exec probes
    Healthcheck,
}

/// The demo's own flags.
#[derive(Args, Clone, Copy, Debug, PartialEq)]
pub struct DemoFlags {
    /// How many times faster than real time the simulated Cotalker runs
    #[arg(long = "demo.speed", value_name = "FACTOR", default_value = "1", value_parser = parse_speed)]
    pub speed: f64,
}

/// A Prometheus exporter for the delivery logs of Cotalker webhooks
#[derive(Clone, Debug, Parser)]
#[command(name = "cotalker-webhook-exporter", disable_help_subcommand = true, max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    task: Option<Task>,
    #[command(flatten)]
    flags: Flags,
}

/// The flags, in the order of the documentation.
#[derive(Args, Clone, Debug)]
struct Flags {
    /// API root, http or https; a path prefix is allowed
    #[arg(long = "cotalker.base-url", value_name = "URL", default_value = "https://www.cotalker.com", value_parser = parse_base_url)]
    base_url: Url,
    /// File with the bearer token (COTALKER_TOKEN holds the token itself); read again when it changes and after a 401
    #[arg(long = "cotalker.token-file", value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Log in with this account instead of a token; needs --cotalker.password-file
    #[arg(long = "cotalker.email", value_name = "EMAIL", value_parser = parse_nonempty)]
    email: Option<String>,
    /// File with the password of --cotalker.email
    #[arg(long = "cotalker.password-file", value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Sent as the Company header, to choose one company of several
    #[arg(long = "cotalker.company", value_name = "ID", value_parser = parse_header)]
    company: Option<HeaderValue>,
    /// Send admin: true
    #[arg(long = "cotalker.admin", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "false",
        default_missing_value = "true", value_parser = BoolishValueParser::new(), action = clap::ArgAction::Set, hide_possible_values = true)]
    admin: bool,
    /// PEM file of a further trusted certificate authority
    #[arg(long = "cotalker.ca-file", value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// For one API call, from connect to last byte
    #[arg(long = "cotalker.timeout", value_name = "DURATION", default_value = "30s", value_parser = parse_timeout)]
    timeout: Duration,
    /// A larger (decompressed) answer is refused, and that call fails
    #[arg(long = "cotalker.max-response-size", value_name = "SIZE", default_value = "1GiB", value_parser = parse_size)]
    max_response_size: u64,
    /// Watch only this webhook, through the call by id, so that a token that may not list will do; repeatable
    #[arg(long = "webhook.id", value_name = "ID", value_delimiter = ',', value_parser = parse_webhook_id)]
    ids: Vec<WebhookId>,
    /// Watch only webhooks whose whole code matches this regular expression
    #[arg(long = "webhook.include", value_name = "REGEX", value_parser = parse_regex)]
    include: Option<Regex>,
    /// Do not watch webhooks whose whole code matches this regular expression
    #[arg(long = "webhook.exclude", value_name = "REGEX", value_parser = parse_regex)]
    exclude: Option<Regex>,
    /// Further webhooks are not watched; cotalker_webhooks_dropped says how many
    #[arg(long = "webhook.limit", value_name = "COUNT", default_value = "10000", value_parser = parse_positive)]
    limit: usize,
    /// A failed attempt with this retry or more is an event's last
    #[arg(long = "webhook.max-retries", value_name = "COUNT", default_value = "3", value_parser = parse_count)]
    max_retries: u32,
    /// A failed event without a further attempt for so long is lost
    #[arg(long = "webhook.pending-timeout", value_name = "DURATION", default_value = "15m", value_parser = parse_pending)]
    pending_timeout: Duration,
    /// The time between the starts of two polls, at least 1s
    #[arg(long = "poll.interval", value_name = "DURATION", default_value = "60s", value_parser = parse_interval)]
    interval: Duration,
    /// Log calls under way at once
    #[arg(long = "poll.concurrency", value_name = "COUNT", default_value = "8", value_parser = parse_positive)]
    concurrency: usize,
    /// API calls per second at most; 0 = no limit
    #[arg(long = "poll.rate", value_name = "NUMBER", default_value = "20", value_parser = parse_rate)]
    rate: f64,
    /// What a first start without state does with entries that are already in the log: ignore or count
    #[arg(long = "poll.history", value_name = "CHOICE", default_value = "ignore", value_parser = parse_history)]
    history: History,
    /// Directory for the checkpoint, made if there is none; without it counts live in memory
    #[arg(long = "state.path", value_name = "DIRECTORY")]
    state_path: Option<PathBuf>,
    /// Where to serve: host:port, [v6]:port or :port; repeatable
    #[arg(long = "web.listen-address", value_name = "ADDRESS", default_value = DEFAULT_LISTEN_ADDRESS, value_delimiter = ',', value_parser = parse_listen_address)]
    listen: Vec<ListenAddress>,
    /// Path of the metrics
    #[arg(long = "web.telemetry-path", value_name = "PATH", default_value = "/metrics", value_parser = parse_telemetry_path)]
    telemetry_path: String,
    /// File with TLS, logins, headers and a rate limit, in the exporter-toolkit's format; read again when it changes
    #[arg(long = "web.config.file", value_name = "FILE")]
    web_config_file: Option<PathBuf>,
    /// error, warn, info, debug, trace, or a tracing filter
    #[arg(long = "log.level", value_name = "LEVEL", default_value = "info", value_parser = parse_level)]
    level: String,
    /// logfmt or json
    #[arg(long = "log.format", value_name = "FORMAT", default_value = "logfmt", value_parser = parse_format)]
    format: LogFormat,
}

/// Everything that a start needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// How to reach the API; `None` for the demo, which brings its own, and for a health check, which needs none.
    pub api: Option<api::Config>,
    /// What to poll, and how often.
    pub poller: poller::Config,
    /// The directory for the checkpoint; `None` to keep counts in memory.
    pub state_path: Option<PathBuf>,
    /// Where to serve.
    pub web: WebConfig,
    /// What to log, and how.
    pub log: LogConfig,
}

/// Where to serve, and to whom.
#[derive(Clone, Debug)]
pub struct WebConfig {
    /// The addresses to listen on.
    pub listen: Vec<ListenAddress>,
    /// The path of the metrics.
    pub telemetry_path: String,
    /// Who may see the pages, and over what; `None` for everybody.
    pub protection: Option<WebConfigFile>,
}

/// How a start ends before it has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Text for standard output, and status 0: `--help` or `--version`.
    Text(String),
    /// One line for standard error, and status 2.
    Refused(String),
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
    let demo = command.find_subcommand("demo").map_or_else(Vec::new, |demo| demo.get_arguments().collect());
    let own = command.get_arguments().chain(demo.into_iter().filter(|arg| !arg.is_global_set()));
    own.filter_map(|arg| {
        let name = arg.get_long().filter(|name| name.contains('.'))?;
        let default: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        Some(FlagDoc {
            flag: format!("--{name}"),
            variable: variable(name),
            default: if default == ["false"] { "off".to_owned() } else { default.join(",") },
            help: arg.get_help().map(ToString::to_string).unwrap_or_default(),
        })
    })
    .collect()
}

/// The variable of the flag `name`. Source: the contract, section 1.
fn variable(name: &str) -> String {
    let text = name.to_uppercase().replace(['.', '-'], "_");
    if name.starts_with("cotalker.") { text } else { format!("EXPORTER_{text}") }
}

/// The command line. A variable that `is_void` says is set to nothing does not count.
fn command(is_void: impl Fn(&str) -> bool) -> Command {
    let with_variable = |arg: clap::Arg| match arg.get_long().map(variable) {
        Some(name) if arg.get_long().is_some_and(|long| long.contains('.')) && !is_void(&name) => arg.env(name),
        _ => arg,
    };
    Cli::command()
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
            with_variable(arg).global(is_ours).hide_env_values(true)
        })
        .mut_subcommand("demo", |demo| demo.mut_args(|arg| with_variable(arg).hide_env_values(true)))
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

/// Reads the command line and the environment, and the files that they name.
///
/// # Errors
///
/// If the user asked for help, or gave something that is not allowed.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<(Option<Task>, Config), Exit> {
    let is_void = |name: &str| std::env::var_os(name).is_some_and(|value| value.is_empty());
    let matches = command(is_void).try_get_matches_from(args).map_err(|error| refuse(&error))?;
    if matches.get_flag("version") {
        return Err(Exit::Text(version_text()));
    }
    let cli = Cli::from_arg_matches(&matches).map_err(|error| refuse(&error))?;
    let is_interval_given = matches.value_source("interval") != Some(clap::parser::ValueSource::DefaultValue);
    let is_history_given = matches.value_source("history") != Some(clap::parser::ValueSource::DefaultValue);
    let mut flags = cli.flags;
    let api = match cli.task {
        None | Some(Task::Check) => Some(api_config(&flags)?),
        Some(Task::Demo(_)) => {
            if !is_interval_given {
                flags.interval = DEMO_INTERVAL;
            }
            if !is_history_given {
                flags.history = History::Count;
            }
            None
        }
        Some(Task::Healthcheck) => None,
    };
    let protection = protection(cli.task, flags.web_config_file.as_deref())?;
    let config = Config {
        api,
        poller: poller::Config {
            interval: flags.interval,
            concurrency: flags.concurrency,
            history: flags.history,
            ids: flags.ids,
            filter: Filter { include: flags.include, exclude: flags.exclude },
            limit: flags.limit,
            policy: Policy {
                max_retries: flags.max_retries,
                pending_timeout_millis: i64::try_from(flags.pending_timeout.as_millis()).unwrap_or(i64::MAX),
            },
        },
        state_path: flags.state_path,
        web: WebConfig { listen: flags.listen, telemetry_path: flags.telemetry_path, protection },
        log: LogConfig { filter: flags.level, format: flags.format },
    };
    Ok((cli.task, config))
}

/// The web configuration of those who serve, read so that a wrong one is told at once.
fn protection(task: Option<Task>, file: Option<&Path>) -> Result<Option<WebConfigFile>, Exit> {
    let (None | Some(Task::Demo(_)), Some(path)) = (task, file) else { return Ok(None) };
    WebConfigFile::read(path).map(Some).map_err(|error| {
        let flag = "web.config.file";
        Exit::Refused(one_line(&format!("--{flag} (or {}): {error}", variable(flag))))
    })
}

/// How to reach the API, with every file read once, so that a wrong one is told at once.
fn api_config(flags: &Flags) -> Result<api::Config, Exit> {
    let ca_pem = match &flags.ca_file {
        Some(path) => Some(std::fs::read(path).map_err(|error| {
            Exit::Refused(format!("--cotalker.ca-file: {}: {error}; a readable PEM file is needed", path.display()))
        })?),
        None => None,
    };
    Ok(api::Config {
        base_url: flags.base_url.clone(),
        credentials: credentials(flags)?,
        company: flags.company.clone(),
        admin: flags.admin,
        ca_pem,
        timeout: flags.timeout,
        max_response_bytes: flags.max_response_size,
        calls_per_second: flags.rate,
        poll_interval: flags.interval,
        ignore_proxy: false,
    })
}

fn credentials(flags: &Flags) -> Result<Credentials, Exit> {
    let token = std::env::var(TOKEN_VARIABLE).ok().filter(|token| !token.is_empty());
    let has_token = flags.token_file.is_some() || token.is_some();
    match (&flags.email, &flags.password_file) {
        (Some(_), _) | (_, Some(_)) if has_token => Err(Exit::Refused(format!(
            "give either a token (--cotalker.token-file or {TOKEN_VARIABLE}) or a login (--cotalker.email with --cotalker.password-file), not both"
        ))),
        (Some(email), Some(password_file)) => {
            read_password(password_file)
                .map_err(|error| Exit::Refused(format!("--cotalker.password-file: {error}")))?;
            Ok(Credentials::Login { email: email.clone(), password_file: password_file.clone() })
        }
        (Some(_), None) => Err(Exit::Refused("--cotalker.email needs --cotalker.password-file".to_owned())),
        (None, Some(_)) => Err(Exit::Refused("--cotalker.password-file needs --cotalker.email".to_owned())),
        (None, None) => match (&flags.token_file, token) {
            (Some(path), _) => {
                read_token(path).map_err(|error| Exit::Refused(format!("--cotalker.token-file: {error}")))?;
                Ok(Credentials::TokenFile(path.clone()))
            }
            (None, Some(token)) => parse_token(&token, TOKEN_VARIABLE)
                .map(Credentials::Token)
                .map_err(|error| Exit::Refused(error.to_string())),
            (None, None) => Err(Exit::Refused(format!(
                "no credentials: give a token in --cotalker.token-file or {TOKEN_VARIABLE}, or a login in --cotalker.email and --cotalker.password-file (or run the `demo`)"
            ))),
        },
    }
}

/// One line that names the flag, the value and what is allowed.
fn refuse(error: &clap::Error) -> Exit {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return Exit::Text(error.to_string().trim_end().to_owned());
    }
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let flag = context(ContextKind::InvalidArg).and_then(|arg| arg.split(' ').next());
    let flag = flag.map(|flag| flag.split(['=', '[']).next().unwrap_or(flag));
    let allowed = std::error::Error::source(error).map(ToString::to_string);
    match (flag, context(ContextKind::InvalidValue), allowed) {
        (Some(flag), Some(value), Some(allowed)) => {
            // A URL with user info holds a password.
            let value = if value.contains('@') && value.contains("//") { "[redacted]" } else { value };
            let name = variable(flag.trim_start_matches('-'));
            Exit::Refused(one_line(&format!("{flag} (or {name}): {value:?} is not allowed; allowed is {allowed}")))
        }
        _ => {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default();
            Exit::Refused(format!("{}; see --help", line.strip_prefix("error: ").unwrap_or(line)))
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn parse_base_url(text: &str) -> Result<Url, String> {
    let allowed = || "an http or https URL with a host, and a path at most: no user, query or fragment".to_owned();
    let url = Url::parse(text).map_err(|_| allowed())?;
    let is_allowed = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    is_allowed.then_some(url).ok_or_else(allowed)
}

fn parse_nonempty(text: &str) -> Result<String, String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned()).ok_or_else(|| "any text but none".to_owned())
}

fn parse_header(text: &str) -> Result<HeaderValue, String> {
    let allowed = || "the id of a company: letters and digits".to_owned();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(allowed());
    }
    HeaderValue::from_str(text).map_err(|_| allowed())
}

fn parse_duration(text: &str, from: Duration, to: Duration, example: &str) -> Result<Duration, String> {
    let allowed = || {
        let (from, to) = (humantime::format_duration(from), humantime::format_duration(to));
        format!("a duration from {from} to {to}, such as {example}")
    };
    humantime::parse_duration(text).ok().filter(|duration| (from..=to).contains(duration)).ok_or_else(allowed)
}

fn parse_timeout(text: &str) -> Result<Duration, String> {
    parse_duration(text, Duration::from_millis(1), Duration::from_secs(60 * 60), "30s")
}

fn parse_pending(text: &str) -> Result<Duration, String> {
    parse_duration(text, Duration::from_secs(1), LONGEST_PENDING, "15m")
}

fn parse_interval(text: &str) -> Result<Duration, String> {
    parse_duration(text, Duration::from_secs(1), LONGEST_INTERVAL, "60s or 1h 30m")
}

fn parse_size(text: &str) -> Result<u64, String> {
    let size = text.parse::<ByteSize>().ok().map(|size| size.as_u64()).filter(|size| *size > 0);
    size.ok_or_else(|| "a size of at least one byte, such as 64MiB, 1GiB or a number of bytes".to_owned())
}

fn parse_webhook_id(text: &str) -> Result<WebhookId, String> {
    text.trim().parse().map_err(|_| "the id of a webhook: 24 hexadecimal digits".to_owned())
}

fn parse_regex(text: &str) -> Result<Regex, String> {
    // Alone first, so that brackets that do not match can't break out of the anchors.
    Regex::new(text).and_then(|_| Regex::new(&format!("^(?:{text})$"))).map_err(|error| {
        let why = error.to_string();
        format!("a regular expression ({})", why.lines().last().unwrap_or_default().trim_start_matches("error: "))
    })
}

fn parse_positive(text: &str) -> Result<usize, String> {
    let number = text.parse::<u32>().ok().filter(|number| *number > 0).and_then(|number| usize::try_from(number).ok());
    number.ok_or_else(|| "a whole number from 1 up".to_owned())
}

fn parse_count(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "a whole number from 0 up".to_owned())
}

fn parse_rate(text: &str) -> Result<f64, String> {
    let rate = text.parse::<f64>().ok().filter(|rate| *rate == 0.0 || (0.001..=1e6).contains(rate));
    rate.map(f64::abs).ok_or_else(|| "a number of calls per second from 0.001 to 1000000, or 0 for no limit".to_owned())
}

fn parse_speed(text: &str) -> Result<f64, String> {
    let speed = text.parse::<f64>().ok().filter(|speed| (0.01..=100_000.0).contains(speed));
    speed.ok_or_else(|| "a number from 0.01 to 100000".to_owned())
}

fn parse_history(text: &str) -> Result<History, String> {
    match text {
        "ignore" => Ok(History::Ignore),
        "count" => Ok(History::Count),
        _ => Err("ignore or count".to_owned()),
    }
}

fn parse_listen_address(text: &str) -> Result<ListenAddress, String> {
    text.parse().map_err(|_| ListenAddress::FORMS.to_owned())
}

fn parse_telemetry_path(text: &str) -> Result<String, String> {
    let is_path = text.len() > 1
        && text.starts_with('/')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.' | b'~'));
    let is_taken = matches!(text, "/-/healthy" | "/-/ready");
    (is_path && !is_taken).then(|| text.to_owned()).ok_or_else(|| {
        "a path such as /metrics, of letters, digits and / - _ . ~, other than /, /-/healthy and /-/ready".to_owned()
    })
}

fn parse_level(text: &str) -> Result<String, String> {
    LogConfig::parse_filter(text).map_err(|_| "error, warn, info, debug, trace, or a tracing filter".to_owned())
}

fn parse_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "logfmt" => Ok(LogFormat::Logfmt),
        "json" => Ok(LogFormat::Json),
        _ => Err("logfmt or json".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(args: &[&str]) -> String {
        let args = [&["cotalker-webhook-exporter"], args].concat();
        match parse(args.into_iter().map(OsString::from)) {
            Err(Exit::Refused(line)) => line,
            other => panic!("{other:?}"),
        }
    }

    fn demo(args: &[&str]) -> Config {
        let args = [&["cotalker-webhook-exporter", "demo"], args].concat();
        parse(args.into_iter().map(OsString::from)).expect("a configuration").1
    }

    #[test]
    fn the_variable_of_a_flag_follows_from_its_name() {
        assert_eq!(variable("cotalker.token-file"), "COTALKER_TOKEN_FILE");
        assert_eq!(variable("poll.interval"), "EXPORTER_POLL_INTERVAL");
    }

    #[test]
    fn a_bad_value_is_told_in_one_line_with_flag_value_and_what_is_allowed() {
        for (flag, value, allowed) in [
            ("--cotalker.base-url", "ftp://x", "an http or https URL"),
            ("--cotalker.base-url", "https://x/?a=b", "no user, query or fragment"),
            ("--cotalker.timeout", "0s", "a duration from 1ms to 1h"),
            ("--cotalker.timeout", "30", "such as 30s"),
            ("--cotalker.max-response-size", "huge", "64MiB"),
            ("--cotalker.company", "a\nb", "the id of a company"),
            ("--cotalker.admin", "perhaps", "value was not a boolean"),
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
            ("--web.listen-address", "localhost", "host:port"),
            ("--web.listen-address", "::1:80", "host:port"),
            ("--web.listen-address", "x:99999", "host:port"),
            ("--web.telemetry-path", "metrics", "a path such as /metrics"),
            ("--web.telemetry-path", "/-/ready", "other than"),
            ("--log.level", "x=y=z", "or a tracing filter"),
            ("--log.format", "xml", "logfmt or json"),
        ] {
            let line = refused(&[&format!("{flag}={value}")]);
            let name = variable(flag.trim_start_matches('-'));
            assert!(line.starts_with(&format!("{flag} (or {name}): {value:?} is not allowed; allowed is ")), "{line}");
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
        for args in [&["--poll.intervall=1s"][..], &["frobnicate"], &["--cotalker.token=s3cret"], &["--poll.interval"]]
        {
            let line = refused(args);
            assert!(line.ends_with("; see --help") && line.lines().count() == 1 && !line.contains("s3cret"), "{line}");
        }
    }

    #[test]
    fn flags_stand_before_or_behind_the_task_and_repeat() {
        for args in [["--poll.interval=5s", "demo"], ["demo", "--poll.interval=5s"]] {
            let args =
                [&["cotalker-webhook-exporter", "--web.listen-address=:1,:2", "--web.listen-address=:3"][..], &args]
                    .concat();
            let (task, config) = parse(args.into_iter().map(OsString::from)).expect("a configuration");
            assert_eq!(task, Some(Task::Demo(DemoFlags { speed: 1.0 })));
            assert_eq!(config.poller.interval, Duration::from_secs(5));
            assert_eq!(config.web.listen.len(), 3);
        }
        assert_eq!(demo(&[]).poller.interval, DEMO_INTERVAL);
        assert_eq!(demo(&["--poll.history=ignore"]).poller.history, History::Ignore);
    }

    #[test]
    fn every_flag_is_documented() {
        let docs = flag_docs();
        assert!(docs.iter().all(|flag| !flag.help.is_empty()), "{docs:?}");
        assert!(docs.iter().any(|flag| flag.flag == "--demo.speed"));
    }
}
