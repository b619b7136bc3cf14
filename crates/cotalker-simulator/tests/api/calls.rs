//! Paths, conditions, compression, and the record of it all.

use std::io::Read as _;
use std::time::Duration;

use cotalker_simulator::{Endpoint, Settings, Simulator};
use delivery_ledger::Action;
use flate2::read::GzDecoder;
use reqwest::header::{CONTENT_ENCODING, ETAG, IF_NONE_MATCH};

use crate::client::{LIST, client, get, logs, with_log, world};

#[tokio::test]
async fn what_is_not_there_is_404() {
    let (simulator, id) = with_log(1).await;
    let unknown = "62742dd824c886d54e60f02b";
    for path in [
        format!("{LIST}/{unknown}"),
        format!("{LIST}/logs/{unknown}"),
        format!("{LIST}/logs/nonsense"),
        format!("{LIST}/logs"),
        "/api/v3/other".to_owned(),
        "/".to_owned(),
    ] {
        assert_eq!(get(&simulator, &path).await.status(), 404, "{path}");
    }
    simulator.with_world(|world| world.set_listed(id, false));
    assert_eq!(get(&simulator, &logs(id)).await.status(), 404);
    assert_eq!(get(&simulator, LIST).await.text().await.expect("a body"), "[]");
    simulator.with_world(|world| world.set_listed(id, true));
    assert_eq!(get(&simulator, &logs(id)).await.status(), 200);
}

#[tokio::test]
async fn a_prefix_is_part_of_the_base_url() {
    let settings = Settings { prefix: "/cotalker/".to_owned(), ..Settings::default() };
    let simulator = Simulator::start(world(), settings).await.expect("loopback");
    assert!(simulator.base_url().ends_with("/cotalker"));
    assert_eq!(get(&simulator, LIST).await.status(), 200);
    let bare = format!("http://{}{LIST}", simulator.address());
    assert_eq!(client().get(bare).bearer_auth(simulator.token()).send().await.expect("a response").status(), 404);
}

#[tokio::test]
async fn what_has_not_changed_is_304_to_those_who_know_it() {
    let (simulator, id) = with_log(3).await;
    for path in [LIST.to_owned(), format!("{LIST}/{id}"), logs(id)] {
        let response = get(&simulator, &path).await;
        let tag = response.headers()[ETAG].clone();
        assert!(tag.to_str().expect("text").starts_with("W/\""));
        let again = async || {
            let request = client().get(format!("{}{path}", simulator.base_url())).bearer_auth(simulator.token());
            request.header(IF_NONE_MATCH, &tag).send().await.expect("a response")
        };
        let unchanged = again().await;
        assert_eq!(unchanged.status(), 304, "{path}");
        assert_eq!(unchanged.headers()[ETAG], tag);
        assert!(unchanged.bytes().await.expect("no body").is_empty());

        simulator.with_world(|world| {
            world.change(id, |spec| spec.name.push('!'));
            world.emit(id, Action::Edit, 1);
        });
        simulator.advance(Duration::from_secs(1));
        assert_eq!(again().await.status(), 200, "{path}");
    }
    simulator.switch(|switches| switches.etag = false);
    assert!(!get(&simulator, LIST).await.headers().contains_key(ETAG));
}

#[tokio::test]
async fn responses_are_compressed_for_those_who_accept_it() {
    let (simulator, id) = with_log(200).await;
    let plain = get(&simulator, &logs(id)).await;
    assert!(!plain.headers().contains_key(CONTENT_ENCODING));
    let plain = plain.bytes().await.expect("a body");
    let ask = async |accepted: &str| {
        let request = client().get(format!("{}{}", simulator.base_url(), logs(id))).bearer_auth(simulator.token());
        request.header("Accept-Encoding", accepted).send().await.expect("a response")
    };
    let packed = ask("gzip").await;
    assert_eq!(packed.headers()[CONTENT_ENCODING], "gzip");
    let packed = packed.bytes().await.expect("a body");
    assert!(packed.len() < plain.len() / 2);
    let mut unpacked = Vec::new();
    GzDecoder::new(&*packed).read_to_end(&mut unpacked).expect("gzip");
    assert_eq!(unpacked, plain);
    for encoding in ["br", "zstd"] {
        assert_eq!(ask(encoding).await.headers()[CONTENT_ENCODING], encoding);
    }
    simulator.switch(|switches| switches.compression = false);
    assert!(!ask("gzip").await.headers().contains_key(CONTENT_ENCODING));
}

#[tokio::test]
async fn calls_are_recorded() {
    let (simulator, id) = with_log(1).await;
    get(&simulator, LIST).await;
    get(&simulator, &logs(id)).await;
    get(&simulator, "/nothing?x=1").await;
    let calls = simulator.calls();
    assert_eq!(
        calls.iter().map(|call| call.endpoint).collect::<Vec<_>>(),
        [Endpoint::List, Endpoint::Logs, Endpoint::Unknown]
    );
    assert_eq!(calls[1].webhook, Some(id));
    assert_eq!(calls[1].status, Some(200));
    assert_eq!(calls[1].headers["authorization"], format!("Bearer {}", simulator.token()));
    assert_eq!((calls[2].path.as_str(), calls[2].status), ("/nothing?x=1", Some(404)));
    assert_eq!((simulator.count(Endpoint::List), simulator.peak(Endpoint::List)), (1, 1));
    simulator.forget_calls();
    assert!(simulator.calls().is_empty());
    assert_eq!(simulator.count(Endpoint::List), 0);
}

#[tokio::test]
async fn a_dropped_simulator_does_not_listen_any_more() {
    let (simulator, _) = with_log(1).await;
    let url = format!("{}{LIST}", simulator.base_url());
    drop(simulator);
    // The task is aborted when the runtime comes to it.
    tokio::task::yield_now().await;
    assert!(client().get(url).send().await.is_err());
}
