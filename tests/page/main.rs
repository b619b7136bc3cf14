//! The pages in a real browser: what an axe finds in them, how high they are, and how they look. `scripts/test-page` runs
//! this, after it has installed the browser and the packages that `look.mjs` needs.
//!
//! Exporters watch simulated companies in every condition that a page has a face for; then `look.mjs` opens each page on a
//! phone and on a desk, by day and by night, in English and in Spanish.

mod scenes;

use std::process::{Command, Stdio};

use scenes::{Scene, all};

/// Where the packages and the pictures are, as `scripts/test-page` has it.
fn tools() -> String {
    std::env::var("PAGE_TOOLS").expect("PAGE_TOOLS: run scripts/test-page")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_has_a_fault_that_axe_finds_and_300_webhooks_are_five_screens_of_a_phone() {
    let scenes = all().await;
    let list: Vec<_> = scenes.iter().map(Scene::described).collect();
    let browser = tokio::task::spawn_blocking(move || {
        Command::new("node")
            .arg("look.mjs")
            .arg(serde_json::Value::Array(list).to_string())
            .current_dir(tools())
            .stdin(Stdio::null())
            .status()
            .expect("node, which scripts/test-page installs")
    });
    assert!(browser.await.expect("no panic").success());
}
