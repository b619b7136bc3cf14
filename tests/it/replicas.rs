//! Several replicas of one account share its calls through a Kubernetes Lease, and none loses a count.

use std::process::Command;
use std::time::Duration;

use cotalker_simulator::{Endpoint, Receiver, Simulator, Trigger, WebhookSpec, World};
use cotalker_webhook_exporter::api::credentials::Credentials;
use cotalker_webhook_exporter::secret::Secret;
use delivery_ledger::WebhookId;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use test_harness::{
    Daemon, Leases, MetricsPage, Program, START, Seen, Setup, Treatment, assert_shows_all, happen, serve, until,
};

const PODS: [&str; 3] = ["pod-a", "pod-b", "pod-c"];

const HOUR: Duration = Duration::from_secs(3_600);

async fn company() -> (Simulator, Vec<WebhookId>) {
    let mut world = World::new(START, 3);
    let ids = [Receiver::Healthy, Receiver::Flaky { failures: 0.4 }, Receiver::Down]
        .into_iter()
        .enumerate()
        .map(|(number, receiver)| world.add(WebhookSpec::new(&format!("hook_{number}"), Trigger::Task).to(receiver)))
        .collect();
    (serve(world).await, ids)
}

fn leads(page: &MetricsPage) -> bool {
    page.sum("cotalker_exporter_leader", &[]).expect("it is always there") == 1.0
}

/// Three replicas, once one of them leads and the others stand by.
async fn three(simulator: &Simulator, leases: &Leases) -> Vec<(&'static str, Daemon)> {
    let mut replicas = Vec::new();
    for pod in PODS {
        replicas.push((pod, Setup::of(simulator).among(leases, pod).start().await));
    }
    agreed(&replicas, leases).await;
    for (_, daemon) in &replicas {
        daemon.wait_for("a first poll", |page| page.all_polls() >= 1.0).await;
    }
    replicas
}

/// Waits until the Lease's holder leads and all others stand by; says who does.
async fn agreed(replicas: &[(&'static str, Daemon)], leases: &Leases) -> &'static str {
    until("one that leads", async || {
        let mut leaders = Vec::new();
        for (pod, daemon) in replicas {
            leaders.extend(leads(&daemon.scrape().await).then_some(*pod));
        }
        let holder = leases.holder();
        leaders.first().copied().filter(|pod| leaders.len() == 1 && holder.as_deref() == Some(*pod))
    })
    .await
}

fn of<'a>(replicas: &'a [(&'static str, Daemon)], pod: &str) -> &'a Daemon {
    &replicas.iter().find(|(name, _)| *name == pod).expect("a replica").1
}

fn without(replicas: &mut Vec<(&'static str, Daemon)>, pod: &str) -> Daemon {
    let index = replicas.iter().position(|(name, _)| *name == pod).expect("a replica");
    replicas.remove(index).1
}

#[tokio::test(flavor = "multi_thread")]
async fn three_replicas_make_the_calls_of_one() {
    let ((simulator, ids), leases) = (company().await, Leases::start().await);
    let replicas = three(&simulator, &leases).await;
    let leader = agreed(&replicas, &leases).await;
    happen(&simulator, &ids, 5);
    let calls = |pages: &[MetricsPage]| -> Vec<f64> {
        pages.iter().map(|page| page.sum("cotalker_api_requests_total", &[]).expect("calls")).collect()
    };
    let mut before = Vec::new();
    for (_, daemon) in &replicas {
        before.push(daemon.scrape().await);
    }
    of(&replicas, leader).site.further_polls(5.0).await;
    let mut after = Vec::new();
    for (_, daemon) in &replicas {
        after.push(daemon.scrape().await);
    }
    for (index, (pod, _)) in replicas.iter().enumerate() {
        let made = calls(&after)[index] - calls(&before)[index];
        if *pod == leader { assert!(made >= 5.0, "{made}") } else { assert_eq!(made, 0.0, "{pod} stands by") }
    }
    let page = of(&replicas, leader).scrape().await;
    assert_shows_all(&page, &simulator);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_shows_its_counters_and_nothing_of_the_present() {
    let ((simulator, ids), leases) = (company().await, Leases::start().await);
    happen(&simulator, &ids, 5);
    let replicas = three(&simulator, &leases).await;
    let leader = agreed(&replicas, &leases).await;
    let leading = of(&replicas, leader).wait_for("the present", |page| page.of(ids[0], "up") == Some(1.0)).await;
    for family in ["blocked", "events_pending", "consecutive_failures", "last_poll_success_timestamp_seconds"] {
        assert!(leading.of(ids[0], family).is_some(), "{family}");
    }
    for (pod, daemon) in replicas.iter().filter(|(pod, _)| *pod != leader) {
        let page = daemon.scrape().await;
        assert_eq!(page.webhook_counters(), leading.webhook_counters(), "{pod}");
        let gauges: Vec<&str> =
            page.0.lines().filter(|line| line.starts_with("# TYPE") && line.ends_with(" gauge")).collect();
        let is_own =
            |line: &&str| ["cotalker_exporter_", "cotalker_api_", "process_"].iter().any(|own| line.contains(own));
        assert!(gauges.iter().all(is_own) && page.sum("cotalker_up", &[]).is_none(), "{gauges:?}");
        assert_eq!(page.sum("cotalker_exporter_poll_interval_seconds", &[]), Some(86_400.0));
        assert_eq!(page.sum("cotalker_exporter_webhook_read_interval_seconds", &[]), Some(86_400.0));
        let (status, text) = daemon.site.get("/").await;
        assert!(status == 200 && text.contains("Standby: another replica polls each interval"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_holder_is_killed_another_takes_the_lease_and_polls_at_once() {
    let ((simulator, ids), leases) = (company().await, Leases::start().await);
    let mut replicas = three(&simulator, &leases).await;
    let killed = agreed(&replicas, &leases).await;
    happen(&simulator, &ids, 4);
    drop(without(&mut replicas, killed));
    let next = agreed(&replicas, &leases).await;
    assert_ne!(next, killed);
    assert_eq!(leases.holders(), [killed, next], "it was not given back");
    let page = of(&replicas, next).wait_for("the present", |page| page.of(ids[2], "up") == Some(1.0)).await;
    assert_shows_all(&page, &simulator);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_ends_in_order_gives_the_lease_back() {
    let ((simulator, _), leases) = (company().await, Leases::start().await);
    let mut replicas = Vec::new();
    for pod in PODS {
        // It would not run out.
        let setup = Setup::of(&simulator).among(&leases, pod).replica(|replica| replica.timing.lease_duration = HOUR);
        replicas.push((pod, setup.start().await));
    }
    let ends = agreed(&replicas, &leases).await;
    without(&mut replicas, ends).terminate().await;
    let next = agreed(&replicas, &leases).await;
    assert_eq!(leases.holders(), [ends, "", next]);
    assert_eq!(leases.object().expect("a Lease")["spec"]["leaseTransitions"], 1);
    let standby = PODS.into_iter().find(|pod| ![ends, next].contains(pod)).expect("a third");
    without(&mut replicas, standby).terminate().await;
    assert_eq!(leases.holder().as_deref(), Some(next), "a replica gives back what it does not hold");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_api_server_all_poll_and_say_so_and_with_it_one_does() {
    let ((simulator, ids), leases) = (company().await, Leases::start().await);
    let replicas = three(&simulator, &leases).await;
    for (pod, treatment) in PODS.into_iter().zip([Treatment::Refused(503), Treatment::Refused(403), Treatment::Held]) {
        leases.treat(pod, treatment);
    }
    for (_, daemon) in &replicas {
        daemon.wait_for("that it polls as the holder does", leads).await;
    }
    happen(&simulator, &ids, 3);
    for (_, daemon) in &replicas {
        assert_shows_all(&daemon.site.further_polls(2.0).await, &simulator);
        let (_, text) = daemon.site.get("/").await;
        assert!(text.contains("The Lease can be neither read nor renewed"), "{text}");
    }
    PODS.into_iter().for_each(|pod| leases.treat(pod, Treatment::Works));
    agreed(&replicas, &leases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_whose_writes_work_but_are_never_heard_of_polls_all_the_same() {
    let ((simulator, _), leases) = (company().await, Leases::start().await);
    leases.treat(PODS[0], Treatment::Unheard);
    let first = Setup::of(&simulator).among(&leases, PODS[0]).start().await;
    first.wait_for("that it polls", leads).await;
    assert_eq!(leases.holder().as_deref(), Some(PODS[0]), "it has the Lease, and does not know it");
    leases.treat(PODS[0], Treatment::Works);
    let second = Setup::of(&simulator).among(&leases, PODS[1]).start().await;
    agreed(&[(PODS[0], first), (PODS[1], second)], &leases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_to_replicas_some_has_every_attempt_and_none_counts_one_twice() {
    const STEPS: usize = if crate::IS_THOROUGH { 40 } else { 8 };
    let ((simulator, ids), leases) = (company().await, Leases::start().await);
    let mut replicas = three(&simulator, &leases).await;
    let mut seen: Vec<Seen> = PODS.iter().map(|_| Seen::default()).collect();
    let mut dice = StdRng::seed_from_u64(11);
    for _ in 0..STEPS {
        let pod = PODS[dice.random_range(0..PODS.len())];
        match dice.random_range(0..4) {
            0 => {
                drop(without(&mut replicas, pod));
                replicas.push((pod, Setup::of(&simulator).among(&leases, pod).start().await));
                // A ledger in memory starts at 0.
                seen[PODS.iter().position(|name| *name == pod).expect("a pod")] = Seen::default();
            }
            1 => leases.treat(pod, Treatment::Unheard),
            2 => leases.treat(pod, Treatment::Refused(503)),
            _ => leases.treat(pod, Treatment::Slow(Duration::from_millis(300))),
        }
        happen(&simulator, &ids, 2);
        let attempts: u64 = ids.iter().map(|id| simulator.truth(*id, START.plus_millis(-1)).attempts).sum();
        until("a replica that has every attempt", async || {
            for (pod, daemon) in &replicas {
                let page = daemon.scrape().await;
                seen[PODS.iter().position(|name| name == pod).expect("a pod")].see(&page);
                let counted = page.sum("cotalker_webhook_delivery_attempts_total", &[]);
                #[expect(clippy::cast_precision_loss, reason = "few attempts")]
                if counted == Some(attempts as f64) {
                    return Some(());
                }
            }
            None
        })
        .await;
        leases.treat(pod, Treatment::Works);
    }
    // Whoever leads next reads all that it has not read: one after the other.
    while !replicas.is_empty() {
        let leader = agreed(&replicas, &leases).await;
        assert_shows_all(&of(&replicas, leader).site.whole_good_poll().await, &simulator);
        without(&mut replicas, leader).terminate().await;
    }
}

/// What the test below runs as a process, for only a process can be stopped.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test runs it as a process"]
async fn a_replica_as_a_process() {
    let [api, token, url, service_account] = ["API", "TOKEN", "LEASES", "SERVICE_ACCOUNT"]
        .map(|name| std::env::var(format!("REPLICA_{name}")).expect("another test runs it"));
    let leases = Leases::start().await;
    let setup = Setup::at(&api, Credentials::Token(Secret::new(token))).among(&leases, "pod-p").replica(|replica| {
        replica.cluster.api = url.parse().expect("a URL");
        replica.cluster.service_account = service_account.into();
        // Calls that are held up are no failures.
        replica.timing.call_timeout = HOUR;
    });
    let daemon = setup.start().await;
    eprintln!("listening address={}", daemon.site.root().trim_start_matches("http://"));
    std::future::pending().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_was_stopped_calls_nothing_before_it_has_looked_at_the_lease() {
    let ((simulator, _), leases) = (company().await, Leases::start().await);
    // It alone calls this one.
    let (own_simulator, _) = company().await;
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "replicas::a_replica_as_a_process", "--ignored", "--nocapture"]);
    let process = Program::of(command)
        .env("REPLICA_API", own_simulator.base_url())
        .env("REPLICA_TOKEN", &own_simulator.token())
        .env("REPLICA_LEASES", &leases.url())
        .env("REPLICA_SERVICE_ACCOUNT", &leases.service_account("pod-p").display().to_string())
        .spawn();
    let site = process.site().await;
    site.wait_for("that it leads and polls", |page| leads(page) && page.polls("ok") >= 2.0).await;
    process.signal("STOP");
    let other = Setup::of(&simulator).among(&leases, PODS[0]).start().await;
    other.wait_for("that another has taken over", leads).await;
    let calls = || own_simulator.count(Endpoint::List) + own_simulator.count(Endpoint::Logs);
    let before = calls();
    leases.treat("pod-p", Treatment::Held);
    let looked = leases.calls_of("pod-p");
    process.signal("CONT");
    until("that it looks at the Lease", async || (leases.calls_of("pod-p") > looked).then_some(())).await;
    // A poll has been due for seconds.
    for _ in 0..10 {
        site.scrape().await;
    }
    leases.treat("pod-p", Treatment::Works);
    site.wait_for("that it stands by", |page| !leads(page)).await;
    assert_eq!(calls(), before, "it polled as if it still held the Lease");
    assert_eq!(leases.holder().as_deref(), Some(PODS[0]));
}
