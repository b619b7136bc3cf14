//! Faults, as a plain client sees them.

use std::io::Read as _;
use std::time::Duration;

use cotalker_simulator::{Endpoint, Fault, Target, Trigger, WebhookSpec};
use flate2::read::GzDecoder;
use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, LOCATION, RETRY_AFTER};
use serde_json::{Value, json};

use crate::client::{LIST, client, get, logs, with_log};

#[tokio::test]
async fn a_status_fault_comes_with_its_retry_after_for_the_next_calls_only() {
    let (simulator, _) = with_log(1).await;
    let fault = Fault::Status { code: 429, retry_after: Some("7".to_owned()) };
    simulator.fail_next(2, Target::List, fault);
    for _ in 0..2 {
        let response = get(&simulator, LIST).await;
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()[RETRY_AFTER], "7");
    }
    assert_eq!(get(&simulator, LIST).await.status(), 200);
}

#[tokio::test]
async fn a_fault_meets_only_the_calls_that_it_is_set_on() {
    let (simulator, id) = with_log(1).await;
    let other = simulator.with_world(|world| world.add(WebhookSpec::new("note_archive", Trigger::Note)));
    let status = async |path: &str| get(&simulator, path).await.status().as_u16();
    let broken = || Fault::Status { code: 500, retry_after: None };

    simulator.fail(Target::Logs(id), broken());
    assert_eq!((status(&logs(id)).await, status(&logs(other)).await, status(LIST).await), (500, 200, 200));
    simulator.clear(Target::Logs(id));
    simulator.fail(Target::AllLogs, broken());
    assert_eq!((status(&logs(id)).await, status(&logs(other)).await, status(LIST).await), (500, 500, 200));
    simulator.clear(Target::Logs(id));
    assert_eq!(status(&logs(id)).await, 500);
    simulator.clear_all();
    simulator.fail(Target::Webhook(id), broken());
    assert_eq!((status(&format!("{LIST}/{id}")).await, status(&format!("{LIST}/{other}")).await), (500, 200));
    simulator.fail(Target::Everything, broken());
    assert_eq!((status("/").await, status(LIST).await), (500, 500));
}

#[tokio::test]
async fn bodies_are_broken_as_the_fault_says() {
    let (simulator, id) = with_log(20).await;
    let right = get(&simulator, &logs(id)).await.bytes().await.expect("a body");
    let with = async |fault: Fault| {
        simulator.fail_next(1, Target::Logs(id), fault);
        get(&simulator, &logs(id)).await
    };

    let html = with(Fault::Html).await;
    assert_eq!(html.status(), 200);
    assert!(html.text().await.expect("a body").contains("<html>"));

    let object: Value = with(Fault::NotAnArray).await.text().await.expect("a body").parse().expect("JSON");
    assert!(object.is_object());

    let cut_off = with(Fault::CutOff).await;
    assert_eq!(cut_off.headers()[CONTENT_LENGTH], right.len().to_string());
    let mut cut_off = cut_off;
    assert!(cut_off.chunk().await.expect("the first part arrives").is_some());
    let ended = loop {
        match cut_off.chunk().await {
            Ok(Some(_)) => {}
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    assert!(ended.is_err());

    let truncated = with(Fault::TruncatedJson).await.bytes().await.expect("it ends well");
    assert_eq!(truncated, right[..right.len() / 2]);

    let garbage = with(Fault::TrailingGarbage).await.bytes().await.expect("it ends well");
    assert!(garbage.starts_with(&right) && garbage.len() > right.len());

    assert!(with(Fault::EmptyBody).await.bytes().await.expect("it ends well").is_empty());

    let broken = with(Fault::BrokenGzip).await;
    assert_eq!(broken.headers()[CONTENT_ENCODING], "gzip");
    let broken = broken.bytes().await.expect("it ends well");
    assert!(GzDecoder::new(&*broken).read_to_end(&mut Vec::new()).is_err());

    let redirect = with(Fault::Redirect { to: "http://127.0.0.1:1/".to_owned() }).await;
    assert_eq!(
        (redirect.status().as_u16(), &redirect.headers()[LOCATION]),
        (302, &"http://127.0.0.1:1/".parse().expect("a header"))
    );
}

#[tokio::test]
async fn responses_are_as_large_as_the_fault_says() {
    let (simulator, id) = with_log(1).await;
    for fault in [Fault::Oversize { bytes: 3 << 20 }, Fault::HugeEntry { bytes: 3 << 20 }] {
        simulator.fail_next(1, Target::Logs(id), fault.clone());
        let response = get(&simulator, &logs(id)).await;
        assert!(!response.headers().contains_key(CONTENT_LENGTH));
        let body = response.bytes().await.expect("it ends well");
        assert!((3 << 20..4 << 20).contains(&body.len()), "{}", body.len());
        assert!(serde_json::from_slice::<Value>(&body).expect("JSON").is_array(), "{fault:?}");
    }
    for size in [2, 1 << 20, (16 << 20) + 5] {
        simulator.fail_next(1, Target::Logs(id), Fault::Bomb { decompressed_bytes: size });
        let packed = get(&simulator, &logs(id)).await.bytes().await.expect("it ends well");
        let mut unpacked = Vec::new();
        GzDecoder::new(&*packed).read_to_end(&mut unpacked).expect("gzip");
        assert_eq!(u64::try_from(unpacked.len()).expect("small"), size);
        assert_eq!(serde_json::from_slice::<Value>(&unpacked).expect("JSON"), json!([]));
        assert!(packed.len() < 64 + unpacked.len() / 500);
    }
}

#[tokio::test]
async fn a_reset_closes_the_connection_without_a_response() {
    let (simulator, _) = with_log(1).await;
    simulator.fail_next(1, Target::List, Fault::Reset);
    let url = format!("{}{LIST}", simulator.base_url());
    assert!(client().get(&url).bearer_auth(simulator.token()).send().await.is_err());
    assert_eq!(simulator.calls()[0].status, None);
    assert_eq!(get(&simulator, LIST).await.status(), 200);
}

#[tokio::test]
async fn a_held_call_gets_its_response_when_the_fault_is_cleared() {
    let (simulator, _) = with_log(1).await;
    simulator.fail_next(1, Target::List, Fault::Hold);
    let held = async { get(&simulator, LIST).await.status().as_u16() };
    let release = async {
        simulator.wait_for(Endpoint::List, 1).await;
        assert_eq!(get(&simulator, LIST).await.status(), 200);
        assert_eq!((simulator.calls()[0].status, simulator.peak(Endpoint::List)), (None, 2));
        simulator.clear(Target::List);
    };
    assert_eq!(tokio::join!(held, release).0, 200);
}

#[tokio::test]
async fn a_hanging_call_never_gets_a_response_and_a_dripping_one_byte_by_byte() {
    let (simulator, id) = with_log(1).await;
    simulator.fail(Target::List, Fault::Hang);
    let url = format!("{}{LIST}", simulator.base_url());
    assert!(
        client()
            .get(url)
            .bearer_auth(simulator.token())
            .timeout(Duration::from_millis(50))
            .send()
            .await
            .expect_err("no response")
            .is_timeout()
    );

    simulator.fail(Target::Logs(id), Fault::Drip);
    let mut dripping = get(&simulator, &logs(id)).await;
    assert!(dripping.content_length().is_some_and(|length| length > 500));
    assert_eq!(dripping.chunk().await.expect("a drop").as_deref(), Some(&b"["[..]));
}
