//! The manual page and the completions of the packages come from the code.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use cotalker_webhook_exporter::config::command_line;

const NAME: &str = "cotalker-webhook-exporter";

/// What `roff` reads, sections in the order of `man-pages(7)`.
fn manual_page() -> Vec<u8> {
    let mut page = Vec::new();
    let man = Man::new(command_line()).manual("User Commands");
    man.render_title(&mut page).expect("a title");
    man.render_name_section(&mut page).expect("a name");
    section("SYNOPSIS")
        .text([bold(NAME), roman(" [COMMAND] ["), bold("--flag"), roman("=VALUE ...]")])
        .to_writer(&mut page)
        .expect("a synopsis");
    man.render_description_section(&mut page).expect("a description");
    for sentence in [
        "Without a command it is the daemon: it polls the delivery logs in the background and serves metrics and a status \
         page. The default address is :10942, the path of the metrics /metrics.",
        "Each flag has an environment variable. A flag beats its variable.",
    ] {
        Roff::new().control("PP", []).text([roman(sentence)]).to_writer(&mut page).expect("a paragraph");
    }
    commands().to_writer(&mut page).expect("the commands");
    man.render_options_section(&mut page).expect("the flags");
    entries(
        "EXIT STATUS",
        &[
            ("0", "It was told to stop, or the command succeeded."),
            ("1", "It could not go on, or the command failed; one line on standard error says why."),
            ("2", "The command line, a variable or a file that they name is not allowed; one line says what is."),
        ],
    )
    .to_writer(&mut page)
    .expect("the exit status");
    entries("SIGNALS", &[
        ("SIGTERM, SIGINT", "Stop: a checkpoint under way is finished."),
        ("SIGHUP", "Read the token file, --cotalker.ca-file and --web.config.file again. They are also read again when they change."),
    ])
    .to_writer(&mut page)
    .expect("the signals");
    entries(
        "FILES",
        &[
            ("/etc/cotalker-webhook-exporter/token", "The token, for the systemd unit; only root has to read it."),
            ("/etc/default/cotalker-webhook-exporter", "Variables for the systemd unit of the package."),
        ],
    )
    .to_writer(&mut page)
    .expect("the files");
    section("SEE ALSO")
        .text([bold("prometheus"), roman("(1), "), bold("systemd.socket"), roman("(5)")])
        .control("PP", [])
        .text([roman(env!("CARGO_PKG_REPOSITORY"))])
        .to_writer(&mut page)
        .expect("what to read");
    page
}

fn section(title: &str) -> Roff {
    let mut section = Roff::new();
    section.control("SH", [title]);
    section
}

/// A section of terms with what they mean.
fn entries(title: &str, entries: &[(&str, &str)]) -> Roff {
    let mut list = section(title);
    for (term, meaning) in entries {
        list.control("TP", []).text([bold(*term)]).text([roman(*meaning)]);
    }
    list
}

/// The commands, with the flags that only they have.
fn commands() -> Roff {
    let mut list = section("COMMANDS");
    for task in command_line().get_subcommands() {
        let help = task.get_about().expect("a help text").to_string();
        list.control("TP", []).text([bold(task.get_name())]).text([roman(format!("{help}."))]);
        for flag in task.get_arguments().filter(|flag| !flag.is_hide_set()) {
            let (Some(long), Some(help)) = (flag.get_long(), flag.get_help()) else { continue };
            list.text([bold(format!("--{long}")), roman(format!(": {help}."))]);
        }
    }
    list
}

fn assert_is_generated(path: &str, right: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/packages").join(path);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::File::create(&path).and_then(|mut file| file.write_all(right)).expect("written");
    } else {
        let is_right = fs::read(&path).is_ok_and(|found| found == right);
        assert!(is_right, "{}: run `UPDATE_DOCS=1 cargo test --test it packages`", path.display());
    }
}

#[test]
fn the_manual_page_is_that_of_the_code() {
    let page = manual_page();
    let text = String::from_utf8(page.clone()).expect("text");
    for word in ["poll.interval", "EXPORTER_POLL_INTERVAL", "demo.speed", "healthcheck"] {
        assert!(text.replace("\\-", "-").contains(word), "{word} is missing");
    }
    assert_is_generated("cotalker-webhook-exporter.1", &page);
}

#[test]
fn the_completions_are_those_of_the_code() {
    for (shell, path) in [
        (Shell::Bash, "completions/cotalker-webhook-exporter.bash"),
        (Shell::Zsh, "completions/_cotalker-webhook-exporter"),
        (Shell::Fish, "completions/cotalker-webhook-exporter.fish"),
    ] {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut command_line(), NAME, &mut script);
        assert!(String::from_utf8_lossy(&script).contains("poll.interval"), "{shell}");
        assert_is_generated(path, &script);
    }
}
