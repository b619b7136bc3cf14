//! Logins, headers and the rate limit.

use std::time::Duration;

use futures::future::join_all;
use reqwest::Client;
use test_harness::web::{Exporter, Files, TLS, hash, header, status};

async fn login(client: &Client, url: String, name: &str, password: &str) -> u16 {
    client.get(url).basic_auth(name, Some(password)).send().await.expect("a response").status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_need_a_login_and_probes_need_none() {
    let files = Files::new();
    let (alice, bob) = (hash("wonder:land"), bcrypt::hash("builder", 5).expect("a hash"));
    let flag = files.flag(&format!("basic_auth_users:\n  alice: {alice}\n  bob: {bob}\n"));
    let exporter = Exporter::start(&[&flag]).await;
    let client = files.client();
    for path in ["/metrics", "/", "/nothing"] {
        let response = client.get(exporter.http(path)).send().await.expect("a response");
        assert_eq!(response.status(), 401, "{path}");
        let challenge = header(&response, "www-authenticate").expect("a challenge");
        assert!(challenge.starts_with("Basic realm=\""), "{challenge}");
    }
    for path in ["/-/healthy", "/-/ready"] {
        assert_eq!(status(&client, exporter.http(path)).await, Some(200), "{path}");
        assert_eq!(login(&client, exporter.http(path), "nobody", "x").await, 200, "{path}");
    }
    // Twice: what is remembered is what was right.
    for _ in 0..2 {
        for (name, password, expected) in [
            ("alice", "wonder:land", 200),
            ("bob", "builder", 200),
            ("alice", "builder", 401),
            ("bob", "", 401),
            ("nobody", "wonder:land", 401),
            ("Alice", "wonder:land", 401),
        ] {
            assert_eq!(login(&client, exporter.http("/metrics"), name, password).await, expected, "{name} {password}");
        }
    }
    assert_eq!(login(&client, exporter.http("/nothing"), "bob", "builder").await, 404);
    let line = exporter.running.logs("logins without TLS").await;
    assert!(line.contains("level=warn"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_logged_in_is_served_while_a_flood_of_wrong_logins_waits() {
    let files = Files::new();
    // So dear that the flood holds its processor for longer than all of the scrapes take.
    let dear = bcrypt::hash("right", 10).expect("a hash");
    let exporter = Exporter::start(&[&files.flag(&format!("basic_auth_users: {{alice: {dear}}}\n"))]).await;
    let client = files.client();
    assert_eq!(login(&client, exporter.http("/metrics"), "alice", "right").await, 200);
    let flood = join_all(
        (0..100)
            .map(|number| login(&client, exporter.http("/metrics"), "alice", if number % 2 == 0 { "a" } else { "b" })),
    );
    let mut flood = std::pin::pin!(flood);
    let scrapes = async {
        for _ in 0..20 {
            assert_eq!(login(&client, exporter.http("/metrics"), "alice", "right").await, 200);
            assert_eq!(status(&client, exporter.http("/-/healthy")).await, Some(200));
        }
    };
    // The flood is under way all the time, and is not through when the scrapes are.
    tokio::select! {
        biased;
        _ = flood.as_mut() => panic!("a hundred hashes were made before twenty scrapes"),
        () = scrapes => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_the_file_or_of_a_login_is_said() {
    const PASSWORD: &str = "s3cret-wonderland";
    const WRONG: &str = "s3cret-typo";
    let files = Files::new();
    let server = files.ca.signs_server();
    let hash = hash(PASSWORD);
    let block = |pem: &str| format!("|\n    {}", pem.trim().replace('\n', "\n    "));
    let text = format!(
        "tls_server_config:\n  cert_file: tls.crt\n  key: {}\nbasic_auth_users: {{alice: {hash}}}\n",
        block(&server.key)
    );
    files.write_server(&server);
    let exporter = Exporter::start(&[&files.flag(&text), "--log.level=trace,hyper=trace,rustls=trace"]).await;
    let client = files.client();
    let mut said = String::new();
    for (name, password, expected) in [("alice", WRONG, 401), ("alice", PASSWORD, 200), (WRONG, PASSWORD, 401)] {
        for path in ["/metrics", "/"] {
            let response =
                client.get(exporter.https(path)).basic_auth(name, Some(password)).send().await.expect("a response");
            assert_eq!(response.status(), expected);
            said.push_str(&format!("{:?}", response.headers()));
            said.push_str(&response.text().await.expect("text"));
        }
    }
    // A key that no longer fits, and a hash that is none.
    files.write("web.yml", &text.replace(&hash, PASSWORD));
    super::reloads::wait(&client, &exporter.https("/metrics"), ("alice", PASSWORD), "error", 1.0).await;
    exporter.running.terminate();
    let ended = exporter.running.ended().await;
    assert!(ended.stderr.contains("level=debug"), "much is logged");
    said = said + &ended.stdout + &ended.stderr;
    let encoded = ["YWxpY2U6czNjcmV0", "czNjcmV0"];
    let key_lines = server.key.lines().filter(|line| !line.starts_with("-----"));
    for secret in [PASSWORD, WRONG, &hash].into_iter().chain(encoded).chain(key_lines) {
        let line = said.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "it says {secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_are_set_on_every_response_and_beat_the_servers_own() {
    const HEADERS: [(&str, &str); 5] = [
        ("Content-Security-Policy", "default-src 'self'"),
        ("Strict-Transport-Security", "max-age=3600"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "deny"),
        ("X-XSS-Protection", "0"),
    ];
    let files = Files::new();
    let headers: String = HEADERS.iter().map(|(name, value)| format!("    {name}: \"{value}\"\n")).collect();
    let flag = files.flag(&format!(
        "{TLS}http_server_config:\n  http2: true\n  headers:\n{headers}basic_auth_users: {{alice: {}}}\nrate_limit: \
         {{interval: 24h, burst: 4}}\n",
        hash("x")
    ));
    let exporter = Exporter::start(&[&flag]).await;
    let client = files.client();
    for (path, name, expected) in [
        ("/", "alice", 200),
        ("/metrics", "alice", 200),
        ("/nothing", "alice", 404),
        ("/metrics", "bob", 401),
        ("/metrics", "alice", 429),
        ("/-/healthy", "alice", 200),
    ] {
        let response = client.get(exporter.https(path)).basic_auth(name, Some("x")).send().await.expect("a response");
        assert_eq!(response.status(), expected, "{path} {name}");
        for (name, value) in HEADERS {
            let values: Vec<_> = response.headers().get_all(name).iter().collect();
            assert_eq!(values, [value], "{path}: {name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_over_the_limit_get_429_and_probes_do_not() {
    let files = Files::new();
    let exporter = Exporter::start(&[&files.flag("rate_limit: {interval: 24h, burst: 3}\n")]).await;
    let client = files.client();
    for (path, expected) in [("/metrics", 200), ("/-/healthy", 200), ("/nothing", 404), ("/", 200)] {
        assert_eq!(status(&client, exporter.http(path)).await, Some(expected), "{path}");
    }
    for _ in 0..20 {
        assert_eq!(status(&client, exporter.http("/metrics")).await, Some(429));
        assert_eq!(status(&client, exporter.http("/-/healthy")).await, Some(200));
        assert_eq!(status(&client, exporter.http("/-/ready")).await, Some(200));
    }
    // Another limit is another bucket, and 0 is none.
    files.write("web.yml", "rate_limit: {interval: 0, burst: 3}\n");
    test_harness::until("no limit", async || {
        (status(&client, exporter.http("/metrics")).await == Some(200)).then_some(())
    })
    .await;
    for _ in 0..20 {
        assert_eq!(status(&client, exporter.http("/metrics")).await, Some(200));
    }
    // A limit that refills is one that lets through again.
    files.write("web.yml", "rate_limit: {interval: 1ms, burst: 1}\n");
    tokio::time::sleep(Duration::from_millis(10)).await;
    test_harness::until("a token", async || {
        (status(&client, exporter.http("/metrics")).await == Some(200)).then_some(())
    })
    .await;
}
