//! Tokens that are rotated, refused or come from a login, and what goes along with them.

use std::path::{Path, PathBuf};

use cotalker_simulator::{Call, Endpoint, Fault, Settings, Simulator, Target, Trigger, WebhookSpec, World};
use cotalker_webhook_exporter::api::credentials::Credentials;
use delivery_ledger::{Action, UnixMillis, WebhookId};
use http::HeaderValue;
use http::header::{AUTHORIZATION, USER_AGENT};
use tempfile::TempDir;

use test_harness::{Daemon, Setup, until};

const START: UnixMillis = UnixMillis::from_secs(1_700_000_000);

/// A company of so many webhooks with three delivered events each.
async fn company(webhooks: usize) -> (Simulator, Vec<WebhookId>) {
    let mut world = World::new(START, 3);
    for number in 0..webhooks {
        let id = world.add(WebhookSpec::new(&format!("hook_{number}"), Trigger::Task));
        world.emit(id, Action::Edit, 3);
    }
    world.advance_by(10_000);
    let ids = world.ids();
    (Simulator::start(world, Settings::default()).await.expect("a simulator"), ids)
}

/// Lets something happen, and waits until it is shown.
async fn goes_on(daemon: &Daemon, simulator: &Simulator, ids: &[WebhookId]) {
    simulator.with_world(|world| ids.iter().for_each(|id| world.emit(*id, Action::Create, 2)));
    simulator.advance(std::time::Duration::from_secs(10));
    let truths: Vec<_> = ids.iter().map(|id| (*id, simulator.truth(*id, UnixMillis::MIN))).collect();
    daemon
        .wait_for("what happened since", |page| {
            truths.iter().all(|(id, truth)| page.differs(*id, truth).is_none())
                && page.sum("cotalker_up", &[]) == Some(1.0)
        })
        .await;
}

/// A file that holds a secret, and is replaced whole, as Kubernetes does it.
struct SecretFile {
    folder: TempDir,
}

impl SecretFile {
    fn of(text: &str) -> Self {
        let file = Self { folder: TempDir::new().expect("a folder") };
        file.replace(text);
        file
    }

    fn replace(&self, text: &str) {
        let new = self.folder.path().join("new");
        std::fs::write(&new, text).expect("written");
        std::fs::rename(new, self.path()).expect("renamed");
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("secret")
    }
}

fn login(email: String, password_file: &Path) -> Credentials {
    Credentials::Login { email, password_file: password_file.to_owned() }
}

fn authorization(call: &Call) -> Option<&str> {
    call.headers.get(AUTHORIZATION).map(|value| value.to_str().expect("text"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_file_that_is_replaced_after_its_token_was_revoked_needs_no_restart() {
    let (simulator, ids) = company(2).await;
    let file = SecretFile::of(&format!("  Bearer {}\n", simulator.token()));
    let daemon = Setup::of(&simulator).with(Credentials::TokenFile(file.path())).start().await;
    daemon.first_poll().await;
    let before = daemon.scrape().await;

    let token = simulator.rotate_token();
    let refused = daemon.wait_for("a refusal", |page| page.sum("cotalker_up", &[]) == Some(0.0)).await;
    assert!(refused.calls("list", "unauthorized") >= 1.0);
    for id in &ids {
        assert_eq!(before.facts_of(*id), refused.facts_of(*id));
    }

    file.replace(&token);
    goes_on(&daemon, &simulator, &ids).await;
    assert_eq!(simulator.count(Endpoint::Login), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_file_that_is_replaced_in_time_costs_no_refused_call() {
    let (simulator, ids) = company(2).await;
    let old = simulator.token();
    let file = SecretFile::of(&old);
    let daemon = Setup::of(&simulator).with(Credentials::TokenFile(file.path())).start().await;
    daemon.first_poll().await;

    file.replace(&simulator.add_token(true));
    daemon.whole_poll().await;
    simulator.revoke(&old);
    goes_on(&daemon, &simulator, &ids).await;
    assert!(simulator.calls().iter().all(|call| call.status != Some(401)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_gone_for_a_moment_leaves_the_token_it_held() {
    let (simulator, ids) = company(1).await;
    let file = SecretFile::of(&simulator.token());
    let daemon = Setup::of(&simulator).with(Credentials::TokenFile(file.path())).start().await;
    daemon.first_poll().await;
    std::fs::remove_file(file.path()).expect("removed");
    goes_on(&daemon, &simulator, &ids).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_that_never_changes_is_told_and_changes_no_count() {
    let (simulator, ids) = company(2).await;
    let daemon = Setup::of(&simulator).start().await;
    let before = daemon.first_poll().await;
    assert_eq!(before.sum("cotalker_up", &[]), Some(1.0));

    simulator.rotate_token();
    let after = daemon.wait_for("a failed poll", |page| page.polls("failed") >= 1.0).await;
    assert_eq!(after.sum("cotalker_up", &[]), Some(0.0));
    assert!(after.calls("list", "unauthorized") >= 1.0);
    for id in &ids {
        assert_eq!(before.facts_of(*id), after.facts_of(*id));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_that_an_expired_login_refuses_at_once_log_in_again_once() {
    let (simulator, ids) = company(8).await;
    let (email, password) = simulator.login();
    let file = SecretFile::of(&format!("{password}\n"));
    simulator.fail(Target::AllLogs, Fault::Hold);
    let daemon = Setup::of(&simulator).with(login(email, &file.path())).start().await;
    simulator.wait_for(Endpoint::Logs, 8).await;
    assert_eq!(simulator.logins(), 1);
    simulator.expire_logins();
    simulator.clear_all();

    let page = daemon.first_poll().await;
    assert_eq!((simulator.logins(), simulator.count(Endpoint::Login)), (2, 2));
    assert_eq!(page.calls("logs", "unauthorized"), 8.0);
    assert_eq!(page.calls("login", "ok"), 2.0);
    for id in &ids {
        page.assert_shows(*id, &simulator.truth(*id, UnixMillis::MIN));
    }
    for call in simulator.calls() {
        if call.endpoint == Endpoint::Login {
            assert_eq!(authorization(&call), None);
            assert_eq!(call.headers["content-type"], "application/json");
            assert_eq!(call.headers["accept-charset"], "utf-8");
        } else {
            assert!(authorization(&call).is_some_and(|value| value.starts_with("Bearer ey")), "{call:?}");
        }
    }

    simulator.expire_logins();
    goes_on(&daemon, &simulator, &ids).await;
    assert_eq!(simulator.logins(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_not_tried_at_every_poll_and_a_right_one_at_once() {
    let (simulator, ids) = company(1).await;
    let (email, password) = simulator.login();
    let file = SecretFile::of("not the password");
    let daemon = Setup::of(&simulator).with(login(email, &file.path())).start().await;
    let page = daemon.wait_for("failed polls", |page| page.polls("failed") >= 4.0).await;
    let tries = page.calls("login", "unauthorized");
    assert!(tries >= 1.0 && tries < page.polls("failed"), "{tries} tries in {} polls", page.polls("failed"));
    assert_eq!(page.sum("cotalker_up", &[]), Some(0.0));
    assert_eq!(simulator.count(Endpoint::List), 0, "without a token there is nothing to ask with");

    file.replace(&password);
    goes_on(&daemon, &simulator, &ids).await;
    assert_eq!(simulator.logins(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn company_and_admin_are_sent_only_where_they_are_configured() {
    let (plain, _) = company(1).await;
    let (strict, ids) = company(1).await;
    let chosen = "625be93a286ef83c1c0e845f";
    strict.switch(|switches| {
        switches.required_company = Some(chosen.to_owned());
        switches.requires_admin = true;
    });
    let of_plain = Setup::of(&plain).start().await;
    let of_strict = Setup::of(&strict).api(|api| {
        api.company = Some(HeaderValue::from_static(chosen));
        api.admin = true;
    });
    let of_strict = of_strict.start().await;
    of_plain.first_poll().await;
    of_strict.first_poll().await;
    goes_on(&of_strict, &strict, &ids).await;

    let agent = concat!("cotalker-webhook-exporter/", env!("CARGO_PKG_VERSION"));
    for call in plain.calls() {
        assert!(!call.headers.contains_key("company") && !call.headers.contains_key("admin"), "{call:?}");
        assert_eq!(call.headers[USER_AGENT], agent);
        assert!(!call.headers.contains_key("referer") && !call.headers.contains_key("cookie"), "{call:?}");
    }
    for call in strict.calls() {
        assert_eq!(
            (&call.headers["company"], &call.headers["admin"]),
            (&chosen.parse().expect("a value"), &HeaderValue::from_static("true"))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_may_not_do_what_is_asked_is_told_from_one_that_is_unknown() {
    let (simulator, _) = company(1).await;
    simulator.switch(|switches| switches.requires_admin = true);
    let daemon = Setup::of(&simulator).start().await;
    let page = daemon.wait_for("a failed poll", |page| page.polls("failed") >= 1.0).await;
    assert!(page.failures("list").iter().all(|result| *result == "forbidden"), "{:?}", page.failures("list"));
    until("readiness", async || (daemon.site.get("/-/ready").await.0 == 200).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_token_in_use_expires_is_shown_as_long_as_it_says_so() {
    const EXPIRY: &str = "cotalker_api_token_expiry_timestamp_seconds";
    let mut world = World::new(START, 3);
    world.add(WebhookSpec::new("orders", Trigger::Task));
    // The claims of the token: {"exp":1790000000}
    let token = String::from("eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3OTAwMDAwMDB9.c2lnbmF0dXJl");
    let settings = Settings { token: Some(token.clone()), ..Settings::default() };
    let simulator = Simulator::start(world, settings).await.expect("a simulator");
    let file = SecretFile::of(&token);
    let daemon = Setup::of(&simulator).with(Credentials::TokenFile(file.path())).start().await;
    let page = daemon.first_poll().await;
    assert_eq!(page.sum(EXPIRY, &[]), Some(1_790_000_000.0));

    file.replace(&simulator.add_token(true));
    daemon.whole_poll().await;
    assert_eq!(daemon.scrape().await.sum(EXPIRY, &[]), None);
}
