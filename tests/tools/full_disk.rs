//! A disk that is full for a while: counting goes on, it is said once, and in the end nothing is missing.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use test_harness::{
    Flow, MetricsPage, Program, Running, Seen, all_kinds, assert_shows_all, program, program_under_test,
};

/// A place for a state directory that can be filled up.
trait SmallDisk {
    fn path(&self) -> &Path;
    fn fill_up(&self, process: &Running);
    fn make_room(&self, process: &Running);
}

/// A file system of its own, in memory. Only root may make one.
struct Mounted {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

impl Mounted {
    fn new() -> Option<Self> {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("mount");
        fs::create_dir(&path).expect("a directory");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=512k", "tmpfs"]).arg(&path).status();
        mounted.is_ok_and(|status| status.success()).then_some(Self { _directory: directory, path })
    }
}

impl SmallDisk for Mounted {
    fn path(&self) -> &Path {
        &self.path
    }

    fn fill_up(&self, _: &Running) {
        let mut filler = fs::File::create(self.path.join("filler")).expect("a file");
        while filler.write_all(&[1; 4_096]).is_ok() {}
    }

    fn make_room(&self, _: &Running) {
        fs::remove_file(self.path.join("filler")).expect("removed");
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.path).status();
    }
}

/// Any directory, and a process that may write no file of more than a few bytes: anybody may have that.
struct Limited(tempfile::TempDir);

impl Limited {
    fn limit(process: &Running, limit: &str) {
        let pid = process.id().to_string();
        let status = Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={limit}:")]).status();
        assert!(status.expect("prlimit").success());
    }
}

impl SmallDisk for Limited {
    fn path(&self) -> &Path {
        self.0.path()
    }

    fn fill_up(&self, process: &Running) {
        Self::limit(process, "64");
    }

    fn make_room(&self, process: &Running) {
        Self::limit(process, "unlimited");
    }
}

/// Says what happened.
async fn outlives_a_full_disk(disk: &impl SmallDisk) -> String {
    let simulator = all_kinds().await;
    let state = disk.path().join("state");
    let mut flow = Flow::of(&simulator);
    let mut seen = Seen::default();
    let attempts = |page: &MetricsPage| page.sum("cotalker_webhook_delivery_attempts_total", &[]).unwrap_or(0.0);
    let writes = |page: &MetricsPage, result: &str| {
        page.sum("cotalker_exporter_state_writes_total", &[result]).expect("a family that is always there")
    };

    // A limit gives an error instead of a signal if that is ignored.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"]).arg(program_under_test());
    let start = |program: Program| program.towards(&simulator).anywhere().quickly().keeping(&state).spawn();
    let mut process = start(Program::of(command));
    process.wait_for("counts on disk", &mut seen, |page| writes(page, "ok") >= 2.0 && attempts(page) > 0.0).await;

    disk.fill_up(&process);
    let full = process.wait_for("a write that fails", &mut seen, |page| writes(page, "error") >= 1.0).await;
    let later = process.wait_for("more that fail", &mut seen, |page| writes(page, "error") >= 4.0).await;
    assert!(attempts(&later) > attempts(&full), "counting goes on");
    assert_eq!(writes(&later, "ok"), writes(&full, "ok"));
    assert_eq!(process.said("failed to write the checkpoint"), 1, "{:?}", process.log());

    disk.make_room(&process);
    process.wait_for("writing again", &mut seen, |page| writes(page, "ok") > writes(&later, "ok")).await;
    assert_eq!(process.said("the checkpoint can be written again"), 1, "{:?}", process.log());
    process.kill();
    let mut process = start(program(&[]));
    process.wait_for("restored counts", &mut seen, |_| true).await;
    flow.stop().await;
    let page = process.at_rest(&mut seen).await;
    let all = assert_shows_all(&page, &simulator);
    process.kill();
    format!(
        "{} writes failed on a full disk; {all} attempts at rest, {} scrapes",
        writes(&later, "error"),
        seen.pages()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_file_system_stops_no_counting_and_loses_nothing() {
    match Mounted::new() {
        Some(disk) => println!("{}", outlives_a_full_disk(&disk).await),
        None => println!("NOT TESTED HERE: no tmpfs may be mounted; the test with a limit stands in for it"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_to_what_may_be_written_stops_no_counting_and_loses_nothing() {
    println!("{}", outlives_a_full_disk(&Limited(tempfile::tempdir().expect("a directory"))).await);
}
