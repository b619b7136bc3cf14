//! The simulated time.

use std::time::Duration;

use cotalker_simulator::{Fault, Settings, Simulator, Target};
use reqwest::Response;
use reqwest::header::DATE;
use tokio::time::Instant;

use crate::client::{LIST, MINUTE, SECOND, START, get, logs, tasks, world};

#[tokio::test]
async fn time_stands_still_until_it_is_advanced_and_the_date_is_the_simulated_one() {
    let mut world = world();
    let id = world.add(tasks().every_ms(10 * SECOND));
    let simulator = Simulator::start(world, Settings::default()).await.expect("loopback");
    let date = |response: &Response| response.headers().get(DATE).map(|date| date.to_str().expect("text").to_owned());

    let response = get(&simulator, &logs(id)).await;
    assert_eq!(date(&response).as_deref(), Some("Thu, 09 Oct 2025 08:53:20 GMT"));
    assert_eq!(response.text().await.expect("a body"), "[]");

    simulator.advance(Duration::from_secs(60));
    assert_eq!(simulator.now(), START.plus_millis(MINUTE));
    let response = get(&simulator, &logs(id)).await;
    assert_eq!(date(&response).as_deref(), Some("Thu, 09 Oct 2025 08:54:20 GMT"));
    assert_ne!(response.text().await.expect("a body"), "[]");

    simulator.switch(|switches| switches.date_offset_ms = -20 * SECOND);
    assert_eq!(date(&get(&simulator, LIST).await).as_deref(), Some("Thu, 09 Oct 2025 08:54:00 GMT"));
    simulator.fail_next(1, Target::List, Fault::DateOffset(-SECOND));
    assert_eq!(date(&get(&simulator, LIST).await).as_deref(), Some("Thu, 09 Oct 2025 08:53:59 GMT"));
    simulator.fail_next(1, Target::Everything, Fault::NoDate);
    assert_eq!(date(&get(&simulator, LIST).await), None);
    simulator.switch(|switches| switches.date = false);
    assert_eq!(date(&get(&simulator, LIST).await), None);
}

#[tokio::test]
async fn a_running_clock_goes_at_its_speed() {
    let earliest = Instant::now();
    let settings = Settings { speed: 1e6, ..Settings::default() };
    let simulator = Simulator::start(world(), settings).await.expect("loopback");
    let latest = Instant::now();
    // A real microsecond is a simulated second; how many pass here does not matter.
    let least = latest.elapsed().as_secs_f64() * 1e6;
    let passed = simulator.now().millis_since(START).div_euclid(SECOND);
    let most = earliest.elapsed().as_secs_f64() * 1e6;
    let passed = f64::from(i32::try_from(passed).expect("less than half an hour"));
    assert!(least - 1.0 <= passed && passed <= most, "{least} {passed} {most}");
}
