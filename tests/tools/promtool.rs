//! What Prometheus' own tool says of the page.

use std::io::Write as _;
use std::process::{Command, Stdio};

use cotalker_simulator::demo::many;
use cotalker_simulator::{Receiver, Trigger, WebhookSpec};

use test_harness::{START, program, serve};

const WEBHOOKS: u16 = 300;

#[tokio::test(flavor = "multi_thread")]
async fn promtool_has_nothing_to_say_of_a_page_of_many_webhooks_with_odd_names() {
    let mut world = many(usize::from(WEBHOOKS) - 2, START, 600_000, 3);
    for (code, name) in [("", ""), ("a \"quoted\\\" code", "two\nlines,\ttabs \u{7} {x=\"y\"} – ñ 設備 🔧")] {
        world.add(WebhookSpec::new(code, Trigger::Unknown).named(name).to(Receiver::Weird).every_ms(10_000));
    }
    let simulator = serve(world).await;
    let exporter = program(&["--poll.history=count"]).towards(&simulator).anywhere().quickly().spawn();
    let site = exporter.site().await;
    let all_logs = Some(f64::from(WEBHOOKS));
    let page = site.wait_for("all logs", |page| page.sum("cotalker_webhook_up", &[]) == all_logs).await;

    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("`promtool` is needed: Debian's package `prometheus`, which scripts/test installs");
    // It reads all of its input before it prints anything.
    promtool.stdin.take().expect("its input").write_all(page.0.as_bytes()).expect("it reads");
    let output = promtool.wait_with_output().expect("its output");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{}: {said}", output.status);
}
