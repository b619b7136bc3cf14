//! Socket activation: the exporter serves on what systemd has bound.

use std::fs::File;
use std::net::TcpListener;

use cotalker_simulator::{Simulator, World};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use test_harness::{START, activated, program, serve};

/// As systemd passes one socket. The shell's own id is the program's: it is replaced by it.
const ONE_SOCKET: &str = "LISTEN_FDS=1 LISTEN_PID=$$";

async fn company() -> Simulator {
    serve(World::new(START, 3)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_serves_on_the_socket_that_systemd_passes_and_on_no_other() {
    let simulator = company().await;
    let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = socket.local_addr().expect("an address");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let elsewhere = format!("--web.listen-address={}", taken.local_addr().expect("an address"));
    for task in [&[][..], &["demo"]] {
        let args = [task, &["--web.systemd-socket", &elsewhere]].concat();
        let running = activated(ONE_SOCKET, &socket, &args).towards(&simulator).spawn();
        assert_eq!(running.address().await, address);
        running.site().await.scrape().await;
        running.terminate();
        assert_eq!(running.ended().await.status, Some(0), "{task:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_comes_between_two_runs_on_a_passed_socket_is_served() {
    let simulator = company().await;
    let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = socket.local_addr().expect("an address");
    let start = || activated(ONE_SOCKET, &socket, &["--web.systemd-socket=true"]).towards(&simulator).spawn();
    let first = start();
    first.site().await.wait_for("a poll", |page| page.polls("ok") >= 1.0).await;
    first.terminate();
    assert_eq!(first.ended().await.status, Some(0));

    let mut early = TcpStream::connect(address).await.expect("systemd's socket is open");
    early.write_all(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
    let _second = start();
    let mut response = String::new();
    early.read_to_string(&mut response).await.expect("a response");
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_without_a_passed_socket_ends_with_status_2_and_one_line() {
    let simulator = company().await;
    let flag = ["--web.systemd-socket"];
    let nothing = "--web.systemd-socket (or EXPORTER_WEB_SYSTEMD_SOCKET): no socket was passed";
    program(&flag).towards(&simulator).run().await.assert_complains(2, &[nothing]);
    program(&[])
        .env("EXPORTER_WEB_SYSTEMD_SOCKET", "1")
        .towards(&simulator)
        .run()
        .await
        .assert_complains(2, &[nothing]);
    let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
    for strangers in ["LISTEN_FDS=1 LISTEN_PID=1", "LISTEN_FDS=0 LISTEN_PID=$$", "LISTEN_PID=$$"] {
        activated(strangers, &socket, &flag).towards(&simulator).run().await.assert_complains(2, &[nothing]);
    }
    // What serves nothing needs no socket.
    assert_eq!(program(&["check", flag[0]]).towards(&simulator).run().await.status, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_passed_and_is_no_tcp_socket_that_listens_ends_the_start_with_status_2_and_one_line() {
    let simulator = company().await;
    let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
    let connection = std::net::TcpStream::connect(socket.local_addr().expect("an address")).expect("a connection");
    let (accepted, _) = socket.accept().expect("a connection");
    let flag = ["--web.systemd-socket"];
    let file = File::open("/dev/null").expect("a file");
    for other in [activated(ONE_SOCKET, &file, &flag), activated(ONE_SOCKET, &accepted, &flag)] {
        let ended = other.towards(&simulator).run().await;
        ended.assert_complains(2, &["--web.systemd-socket", "descriptor 3 was passed, and is no TCP socket"]);
    }
    let two = activated("LISTEN_FDS=2 LISTEN_PID=$$", &socket, &flag).towards(&simulator).run().await;
    two.assert_complains(2, &["--web.systemd-socket", "descriptor 4 was passed"]);
    drop(connection);
}
