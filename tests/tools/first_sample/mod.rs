//! Whoever is on call is told of each loss once, wherever in its life the series with the loss is: the shipped rules in
//! real Prometheus servers, which scrape and evaluate every 5, 15 and 60 seconds.
//!
//! All scenes run side by side in real time, some six minutes. Only a real Prometheus knows what a scrape leaves out and
//! when it marks a series as stale, which backfilled samples cannot say; and only real intervals have all of their
//! proportions to the rules' 15 minutes. What must have happened long before is stored as real pages of the same
//! exporters, at the scrapes of that time. What comes in the hour after is computed by the same servers from what they
//! have scraped, for nothing changes any more.
//!
//! The exporters poll every second, faster than any Prometheus scrapes: a new series often has its loss in its first
//! sample already.

mod past;
mod pod;
mod verdict;
mod watcher;

use std::net::SocketAddr;
use std::path::Path;

use self::past::Past;
use self::pod::Pod;
use self::verdict::{LOST, Loss, Verdict};
use self::watcher::Watcher;

/// In seconds.
const INTERVALS: [u32; 3] = [5, 15, 60];

/// From how many minutes ago to how many minutes ago.
const FOR_HOURS: (u32, u32) = (180, 0);

/// A pod that counted its log, with three losses, when it began, and has shown them since.
async fn running_since(minutes_ago: (u32, u32), mut pod: Pod, pasts: &mut Vec<Past>) -> Pod {
    pod.deliver();
    pod.lose(3);
    pod.start("count");
    let page = pod.shows(3).await;
    pasts.push(Past::of(&pod, &page, minutes_ago));
    pod
}

/// The pods that Prometheus is to scrape, as service discovery writes them.
fn discover(file: &Path, targets: &[SocketAddr]) {
    let targets: Vec<String> = targets.iter().map(SocketAddr::to_string).collect();
    let new = file.with_extension("new");
    std::fs::write(&new, serde_json::json!([{ "targets": targets }]).to_string()).expect("written");
    std::fs::rename(new, file).expect("in place");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_loss_is_told_once_whatever_the_first_sample_of_its_series_is() {
    let mut first_loss = Pod::new("first_loss").await;
    first_loss.start("ignore");
    first_loss.shows(0).await;
    let mut pasts = Vec::new();
    let mut kept = running_since(FOR_HOURS, Pod::new("kept").await.with_volume(), &mut pasts).await;
    let mut quiet = running_since(FOR_HOURS, Pod::new("quiet").await.with_volume(), &mut pasts).await;
    // It began within the last half hour, and its losses were told then.
    let mut young = running_since((18, 0), Pod::new("young").await.with_volume(), &mut pasts).await;
    let mut renamed = running_since(FOR_HOURS, Pod::new("old_name").await.with_volume(), &mut pasts).await;
    let mut anew = running_since(FOR_HOURS, Pod::new("anew").await, &mut pasts).await;
    let mut below = running_since(FOR_HOURS, Pod::new("below").await, &mut pasts).await;
    let mut equal = running_since(FOR_HOURS, Pod::new("equal").await, &mut pasts).await;
    let back_soon = running_since(FOR_HOURS, Pod::new("back_soon").await, &mut pasts).await;
    let back_late = running_since((180, 20), Pod::new("back_late").await, &mut pasts).await;
    back_late.list(false);
    back_late.hides().await;
    let mut history = Pod::new("history").await;
    history.lose(4);

    let discovery = tempfile::tempdir().expect("a directory");
    let targets_file = discovery.path().join("targets.json");
    let running = [&first_loss, &kept, &quiet, &young, &renamed, &anew, &below, &equal, &back_soon, &back_late]
        .map(|p| p.address);
    discover(&targets_file, &running);
    let watchers = INTERVALS.map(|interval| Watcher::start(interval, &targets_file, &pasts));
    for watcher in &watchers {
        watcher.sees(&running).await;
    }

    // A loss, quick restarts, and what Prometheus is to miss first.
    first_loss.lose(1);
    kept.stop().await;
    kept.lose(2);
    kept.start("ignore");
    quiet.restart("ignore").await;
    young.restart("ignore").await;
    back_soon.list(false);
    let missing = [back_soon.series(LOST), renamed.series(LOST)];
    for pod in [&mut renamed, &mut anew, &mut below, &mut equal] {
        pod.stop().await;
    }
    for watcher in &watchers {
        watcher.misses(&[&renamed, &anew, &below, &equal].map(|pod| pod.address)).await;
        for series in &missing {
            watcher.shows(series, None).await;
        }
    }

    // Series that appear, with their losses where they have new ones. Where a pod is new, its losses come first and
    // Prometheus second.
    renamed.moves();
    renamed.rename("new_name");
    renamed.start("ignore");
    renamed.shows(3).await;
    anew.start("ignore");
    anew.shows(0).await;
    anew.lose(1);
    for pod in [&back_soon, &back_late] {
        pod.lose(2);
        pod.list(true);
    }
    for (pod, lost) in [(&mut below, 1), (&mut equal, 3)] {
        pod.moves();
        pod.start("ignore");
        pod.shows(0).await;
        pod.lose(lost);
        pod.shows(lost).await;
    }
    history.start("count");
    history.shows(4).await;
    let new = [&renamed, &below, &equal, &history].map(|pod| pod.address);
    discover(&targets_file, &[&running[..], &new[..]].concat());

    let losses = [
        Loss { pod: &first_loss, shown: 1, lost: 1 },
        Loss { pod: &kept, shown: 5, lost: 2 },
        Loss { pod: &anew, shown: 1, lost: 1 },
        Loss { pod: &below, shown: 1, lost: 1 },
        Loss { pod: &equal, shown: 3, lost: 3 },
        Loss { pod: &back_soon, shown: 5, lost: 2 },
        Loss { pod: &back_late, shown: 5, lost: 2 },
        Loss { pod: &history, shown: 4, lost: 4 },
    ];
    for watcher in &watchers {
        for Loss { pod, shown, .. } in &losses {
            watcher.shows(&pod.series(LOST), Some(*shown)).await;
        }
        for pod in [&quiet, &young, &renamed] {
            watcher.shows(&pod.series(LOST), Some(3)).await;
        }
    }
    let mut verdict = Verdict::default();
    for watcher in &watchers {
        watcher.evaluates().await;
        verdict.on_alerts(watcher, &losses, &[&kept, &quiet, &young, &back_soon, &back_late]).await;
    }
    for watcher in watchers {
        verdict.on_an_hour(watcher, &losses).await;
    }
    assert!(verdict.0.is_empty(), "{:#?}", verdict.0);
}
