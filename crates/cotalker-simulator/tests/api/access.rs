//! Tokens, logins and required headers.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{LIST, client, get, logs, with_log};

#[tokio::test]
async fn who_has_no_valid_token_gets_401_and_who_may_not_list_gets_403() {
    let (simulator, id) = with_log(1).await;
    let status = async |token: Option<&str>, path: &str| {
        let request = client().get(format!("{}{path}", simulator.base_url()));
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        request.send().await.expect("a response").status().as_u16()
    };
    let old = simulator.token();
    assert_eq!(status(None, LIST).await, 401);
    assert_eq!(status(Some("wrong"), LIST).await, 401);
    assert_eq!(status(Some(&old), LIST).await, 200);

    let new = simulator.rotate_token();
    assert_eq!(simulator.token(), new);
    assert_eq!(status(Some(&old), LIST).await, 401);
    assert_eq!(status(Some(&new), LIST).await, 200);

    let by_id = simulator.add_token(false);
    assert_eq!(status(Some(&by_id), LIST).await, 403);
    assert_eq!(status(Some(&by_id), &format!("{LIST}/{id}")).await, 200);
    assert_eq!(status(Some(&by_id), &logs(id)).await, 200);
    simulator.revoke(&by_id);
    assert_eq!(status(Some(&by_id), &logs(id)).await, 401);
    simulator.allow_listing(false);
    assert_eq!(status(Some(&new), LIST).await, 403);
}

#[tokio::test]
async fn further_headers_can_be_required() {
    let (simulator, _) = with_log(1).await;
    simulator.switch(|switches| {
        switches.required_company = Some("c1".to_owned());
        switches.requires_admin = true;
    });
    assert_eq!(get(&simulator, LIST).await.status(), 403);
    let url = format!("{}{LIST}", simulator.base_url());
    let request = client().get(url).bearer_auth(simulator.token()).header("Company", "c1").header("admin", "true");
    assert_eq!(request.send().await.expect("a response").status(), 200);
}

#[tokio::test]
async fn a_login_gives_a_token_that_expires() {
    let (simulator, _) = with_log(1).await;
    let (email, password) = simulator.login();
    let log_in = async |password: &str| {
        let request = client()
            .post(format!("{}/auth/local", simulator.base_url()))
            .header("Content-Type", "application/json")
            .body(json!({ "email": email, "password": password }).to_string());
        let response = request.send().await.expect("a response");
        let status = response.status().as_u16();
        let body: Value = response.text().await.expect("a body").parse().expect("JSON");
        (status, body["token"].as_str().unwrap_or_default().to_owned())
    };
    let list = async |token: &str| {
        let request = client().get(format!("{}{LIST}", simulator.base_url())).bearer_auth(token);
        request.send().await.expect("a response").status().as_u16()
    };
    assert_eq!(log_in("wrong").await.0, 401);
    let (status, token) = log_in(&password).await;
    assert_eq!((status, token.split('.').count(), simulator.logins()), (200, 3, 1));
    assert_eq!(list(&token).await, 200);
    simulator.advance(Duration::from_secs(3_600));
    assert_eq!(list(&token).await, 401);

    let (_, token) = log_in(&password).await;
    assert_eq!(list(&token).await, 200);
    simulator.expire_logins();
    assert_eq!(list(&token).await, 401);
    simulator.set_password("new");
    assert_eq!(log_in(&password).await.0, 401);
}
