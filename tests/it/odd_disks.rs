//! File systems that lack something, and disks that hang: what a start says, and what goes on.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use cotalker_simulator::{Endpoint, Simulator, Trigger, WebhookSpec, World};
use delivery_ledger::UnixMillis;

use test_harness::Program;
use test_harness::{START, happen, serve};

async fn company() -> Simulator {
    let mut world = World::new(START, 3);
    world.add(WebhookSpec::new("orders", Trigger::Task));
    serve(world).await
}

/// The program under `strace`, which tampers with calls that touch `path` alone.
fn tampered(inject: &str, path: &Path, state: &Path) -> Program {
    let mut command = Command::new("strace");
    command.args(["-D", "-f", "-q", "-o", "/dev/null", "-P"]).arg(path).args(["-e", inject, "--"]);
    command.arg(env!("CARGO_BIN_EXE_cotalker-webhook-exporter"));
    command.args(["--poll.interval=1s", "--poll.history=count"]);
    Program::of(command).env("EXPORTER_STATE_PATH", &state.display().to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_system_without_locks_is_named_as_that() {
    let simulator = company().await;
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state");
    for error in ["ENOLCK", "ENOSYS", "EOPNOTSUPP"] {
        let inject = format!("inject=flock:error={error}");
        let program = tampered(&inject, &state.join("lock"), &state).towards(&simulator).anywhere();
        let ended = program.run().await;
        assert_eq!(ended.status, Some(1), "{ended:?}");
        let last = ended.stderr.lines().last().unwrap_or_default();
        assert!(last.contains("--state.path") && last.contains("this file system has no locks"), "{ended:?}");
    }
    assert_eq!(simulator.count(Endpoint::List), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_system_without_directory_sync_works_and_is_told_once() {
    for error in ["EINVAL", "EOPNOTSUPP"] {
        let simulator = company().await;
        let ids = simulator.with_world(|world| world.ids());
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().join("state");
        std::fs::create_dir(&state).expect("a directory");
        let program = tampered(&format!("inject=fsync:error={error}"), &state, &state);
        let running = program.towards(&simulator).anywhere().spawn();
        let site = running.site().await;
        for _ in 0..2 {
            happen(&simulator, &ids, 2);
            let truth = simulator.truth(ids[0], UnixMillis::MIN);
            site.wait_for("what happened", |page| page.differs(ids[0], &truth).is_none()).await;
        }
        let page = site.scrape().await;
        assert_eq!(page.sum("cotalker_exporter_state_writes_total", &["error"]), Some(0.0));
        assert!(page.sum("cotalker_exporter_state_writes_total", &["ok"]) >= Some(2.0));
        running.terminate();
        let ended = running.ended().await;
        assert_eq!(ended.stderr.matches("cannot sync a directory").count(), 1, "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn state_is_for_its_owner_alone() {
    let simulator = company().await;
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state");
    let running = test_harness::program(&["--poll.interval=1s"])
        .env("EXPORTER_STATE_PATH", &state.display().to_string())
        .towards(&simulator)
        .anywhere()
        .spawn();
    let site = running.site().await;
    let ids = simulator.with_world(|world| world.ids());
    site.wait_for("a first write", |page| page.sum("cotalker_exporter_state_writes_total", &["ok"]) >= Some(1.0)).await;
    happen(&simulator, &ids, 1);
    site.wait_for("a second", |page| page.sum("cotalker_exporter_state_writes_total", &["ok"]) >= Some(2.0)).await;
    let mode = |path: &Path| std::fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    assert_eq!(mode(&state), 0o700);
    let files = std::fs::read_dir(&state).expect("files").map(|file| file.expect("a file").path());
    let files: Vec<_> = files.filter(|path| !path.ends_with("checkpoint.new")).collect();
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{file:?}");
    }
}
