//! The container image, run as a runtime runs it: nothing but its own files, which cannot be written, as its own user.
//! `scripts/test-container` builds it from the Dockerfile, and says where it is.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use cotalker_simulator::{Settings, Simulator, Trigger, WebhookSpec, World};
use cotalker_webhook_exporter::config::DEFAULT_LISTEN_ADDRESS;
use delivery_ledger::{UnixMillis, WebhookId};
use serde_json::{Value, json};
use tempfile::TempDir;

use test_harness::{Program, Running, START, ca, happen};

const BINARY: &str = "/cotalker-webhook-exporter";
const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";
const LICENCES: [&str; 2] = ["LICENSE", "THIRD-PARTY-LICENSES"];
const STATE: &str = "/var/lib/cotalker-webhook-exporter";

/// A name that only the container's `/etc/hosts` knows.
const API: &str = "cotalker.test";

/// Makes the root read-only and mounts what the volume is, in a name space of its own; then drops all that a root process
/// may do, and becomes the exporter. No `/proc`, no `/dev`: what runs there needs less than a runtime gives it.
const RUNTIME: &str = r#"
root=$1 user=$2 volume=$3 at=$4
shift 4
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
[ -z "$volume" ] || mount --bind "$volume" "$root$at"
# What chroot itself needs is gone with the change of the user.
exec setpriv --no-new-privs --inh-caps=-all --bounding-set=-all,+sys_chroot,+setuid,+setgid \
  chroot --userspec="$user" --groups= "$root" "$@"
"#;

/// The image under test.
struct Image {
    root: PathBuf,
    config: Value,
}

impl Image {
    fn under_test() -> Self {
        let directory =
            std::env::var_os("IMAGE_UNDER_TEST").map(PathBuf::from).expect("scripts/test-container sets it");
        let config = fs::read(directory.join("config.json")).expect("the image's configuration");
        Self { root: directory.join("root"), config: serde_json::from_slice(&config).expect("JSON") }
    }

    /// A list of strings of its configuration.
    fn words(&self, pointer: &str) -> Vec<&str> {
        let words = self.config.pointer(pointer).and_then(Value::as_array).expect("a list");
        words.iter().map(|word| word.as_str().expect("a string")).collect()
    }

    fn label(&self, name: &str) -> &str {
        self.config["Labels"][format!("org.opencontainers.image.{name}")].as_str().unwrap_or_default()
    }

    /// A container of it, which has not been started.
    fn container(&self) -> Container<'_> {
        let directory = tempfile::tempdir().expect("a directory");
        let copied = Command::new("cp").arg("-a").arg(&self.root).arg(directory.path()).status();
        assert!(copied.expect("cp").success());
        let container = Container { image: self, directory, volume: None };
        container.write("/etc/hosts", &format!("127.0.0.1 {API}\n"));
        container
    }
}

/// A container: its own copy of the image's files, with what a runtime or a user adds to them.
struct Container<'a> {
    image: &'a Image,
    directory: TempDir,
    volume: Option<TempDir>,
}

impl Container<'_> {
    fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join("root").join(path.trim_start_matches('/'))
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.path(path), text).expect("a file");
    }

    /// With a new volume for the state, which takes its owner from the directory where it is mounted.
    fn with_volume(mut self) -> Self {
        let volume = tempfile::tempdir().expect("a directory");
        let place = fs::metadata(self.path(STATE)).expect("the image has a place for it");
        chown(volume.path(), Some(place.uid()), Some(place.gid())).expect("root");
        self.volume = Some(volume);
        self
    }

    /// Runs this command, the first word of which is a file of the image.
    fn exec(&self, command: &[&str]) -> Program {
        let volume = self.volume.as_ref().map_or(Path::new(""), TempDir::path);
        let mut runtime = Command::new("unshare");
        runtime.args(["--mount", "sh", "-euc", RUNTIME, "sh"]).arg(self.path("/"));
        runtime.arg(self.image.config["User"].as_str().expect("a user")).arg(volume).arg(STATE).args(command);
        let variables = self.image.words("/Env").into_iter().filter_map(|variable| variable.split_once('='));
        variables.fold(Program::of(runtime), |program, (name, value)| program.env(name, value))
    }

    /// Runs the image's program with these arguments, towards this API.
    fn run(&self, simulator: &Simulator, arguments: &[&str]) -> Program {
        let command = [&self.image.words("/Entrypoint"), arguments].concat();
        let api = format!("https://{API}:{}", simulator.address().port());
        let program = self.exec(&command).towards(simulator).anywhere().env("COTALKER_BASE_URL", &api);
        program.env("EXPORTER_POLL_INTERVAL", "1s").env("EXPORTER_POLL_HISTORY", "count")
    }

    /// Asks what an orchestrator asks, and gives the status that it gets.
    async fn healthcheck(&self, address: &str) -> Option<i32> {
        let question = self.image.words("/Healthcheck/Test");
        assert_eq!(question[0], "CMD", "there is no shell");
        self.exec(&question[1..]).env("EXPORTER_WEB_LISTEN_ADDRESS", address).run().await.status
    }
}

/// An API that speaks TLS, its CA, and a webhook with something in its log.
async fn api() -> (Simulator, String, WebhookId) {
    let (pem, server) = ca(API);
    let mut world = World::new(START, 5);
    let id = world.add(WebhookSpec::new("orders", Trigger::Task));
    let settings = Settings { tls: Some(server), ..Settings::default() };
    let simulator = Simulator::start(world, settings).await.expect("a simulator");
    happen(&simulator, &[id], 7);
    (simulator, pem, id)
}

/// Waits until it shows what happened.
async fn expect_truth(running: &Running, simulator: &Simulator, id: WebhookId) {
    let truth = simulator.truth(id, UnixMillis::MIN);
    let shown = running.site().await.wait_for("the truth", |page| page.differs(id, &truth).is_none()).await;
    assert_eq!(shown.sum("cotalker_up", &[]), Some(1.0));
}

async fn end(running: Running) {
    running.terminate();
    let ended = running.ended().await;
    assert_eq!(ended.status, Some(0), "{ended:?}");
}

#[test]
#[ignore = "needs the image: scripts/test-container"]
fn the_image_is_the_binary_its_cas_its_licences_and_a_place_for_the_state_and_says_what_it_is() {
    let image = Image::under_test();
    let listed = Command::new("find").arg(&image.root).args(["!", "-type", "d", "-printf", "/%P %u:%g %m\n"]).output();
    let listed = String::from_utf8(listed.expect("find").stdout).expect("text");
    let others = LICENCES.map(|file| format!("/usr/share/licenses/cotalker-webhook-exporter/{file}"));
    let others = others.iter().map(String::as_str).chain([BUNDLE]).map(|file| format!("{file} root:root 644"));
    let expected: BTreeSet<String> = others.chain([format!("{BINARY} root:root 755")]).collect();
    assert_eq!(listed.lines().map(str::to_owned).collect::<BTreeSet<_>>(), expected);
    let state = image.root.join(&STATE[1..]);
    let owner = fs::metadata(&state).expect("a place for the state");
    assert_eq!((owner.uid(), owner.gid()), (65_532, 65_532));
    assert_eq!(fs::read_dir(state).expect("a directory").count(), 0);

    assert_eq!(image.config["User"], "65532:65532");
    assert_eq!(image.config["ExposedPorts"], json!({ format!("{}/tcp", &DEFAULT_LISTEN_ADDRESS[1..]): {} }));
    assert_eq!(image.label("version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(image.label("licenses"), env!("CARGO_PKG_LICENSE"));
    for label in ["title", "description", "source", "documentation"] {
        assert_ne!(image.label(label), "", "{label}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the image: scripts/test-container"]
async fn its_labels_are_what_the_program_says_of_itself() {
    let image = Image::under_test();
    let container = image.container();
    let ended = container.exec(&[BINARY, "--version"]).run().await;
    let day = image.label("created").split('T').next().unwrap_or_default();
    let expected = format!("version {} (revision {}, built {day}", image.label("version"), image.label("revision"));
    assert!(ended.stdout.contains(&expected), "{expected}: {ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the image: scripts/test-container"]
async fn with_the_authority_in_its_bundle_it_polls_is_healthy_and_stops_when_told() {
    let (simulator, pem, id) = api().await;
    let image = Image::under_test();
    let container = image.container();
    container.write(BUNDLE, &pem);
    let running = container.run(&simulator, &[]).spawn();
    expect_truth(&running, &simulator, id).await;

    let status = fs::read_to_string(format!("/proc/{}/status", running.id())).expect("a process");
    let field = |name: &str| {
        let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        value.expect(name).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for (name, expected) in [("Uid", "65532 65532 65532 65532"), ("Gid", "65532 65532 65532 65532"), ("Groups", "")] {
        assert_eq!(field(name), expected, "{name}");
    }
    for name in ["CapEff", "CapPrm", "CapInh", "CapAmb"] {
        assert_eq!(field(name), "0".repeat(16), "{name}");
    }
    assert_eq!(field("NoNewPrivs"), "1");

    let address = running.address().await.to_string();
    assert_eq!(container.healthcheck(&address).await, Some(0));
    end(running).await;
    assert_eq!(container.healthcheck(&address).await, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the image: scripts/test-container"]
async fn an_authority_that_is_not_in_its_bundle_is_not_trusted() {
    let (simulator, ..) = api().await;
    let image = Image::under_test();
    let container = image.container();
    let running = container.run(&simulator, &[]).spawn();
    let page = running.site().await.wait_for("a failed poll", |page| page.polls("failed") >= 1.0).await;
    assert_eq!(page.failures("list"), ["tls"]);
    assert_eq!(page.sum("cotalker_up", &[]), Some(0.0));
    running.logs("failed to connect over TLS").await;
    assert!(simulator.calls().is_empty(), "no token may be sent to whom nobody trusts");
    end(running).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the image: scripts/test-container"]
async fn without_a_bundle_it_says_so_and_an_authority_of_the_users_will_do() {
    let (simulator, pem, id) = api().await;
    let image = Image::under_test();
    let container = image.container();
    fs::remove_file(container.path(BUNDLE)).expect("the image's bundle");
    let ended = container.run(&simulator, &["--log.level=error"]).run().await;
    ended.assert_complains(1, &["--cotalker.ca-file", "no trusted CA", BUNDLE]);

    container.write("/authority.pem", &pem);
    let running = container.run(&simulator, &["--cotalker.ca-file=/authority.pem"]).spawn();
    expect_truth(&running, &simulator, id).await;
    end(running).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the image: scripts/test-container"]
async fn its_root_cannot_be_written_and_counts_live_on_in_its_volume() {
    let (simulator, pem, id) = api().await;
    let image = Image::under_test();
    let container = image.container();
    container.write(BUNDLE, &pem);
    let state = format!("--state.path={STATE}");
    for path in ["--state.path=/state", state.as_str()] {
        let ended = container.run(&simulator, &["--log.level=error", path]).run().await;
        ended.assert_complains(1, &["--state.path", "Read-only file system"]);
    }

    let container = container.with_volume();
    let running = container.run(&simulator, &[&state]).spawn();
    expect_truth(&running, &simulator, id).await;
    end(running).await;
    // A start that found nothing would take all of it for history.
    happen(&simulator, &[id], 3);
    let again = container.run(&simulator, &[&state]).env("EXPORTER_POLL_HISTORY", "ignore").spawn();
    expect_truth(&again, &simulator, id).await;
    end(again).await;
}
