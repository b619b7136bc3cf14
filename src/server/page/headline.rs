//! The headline: how everything stands, in one sentence.

use delivery_ledger::UnixMillis;

use super::state::{Tone, WebhookState, recently_lost};
use crate::snapshot::{Overview, WebhookRow};
use crate::words::plural;

/// The state of everything in one sentence.
pub(super) fn headline(
    overview: &Overview,
    webhooks: &[(WebhookState, &WebhookRow)],
    server_now: UnixMillis,
) -> (Tone, String) {
    match (overview.is_api_up, webhooks) {
        (None, []) => (Tone::Idle, String::from("The first poll is still running")),
        (Some(true), []) => (Tone::Idle, String::from("There are no webhooks to watch")),
        (Some(false), []) => (Tone::Bad, String::from("The Cotalker API cannot be read, and there is no data yet")),
        (Some(false), _) => {
            let (_, known) = summary(webhooks, server_now);
            let known = known.replacen("All ", "all ", 1).replacen("The ", "the ", 1);
            (Tone::Bad, format!("The Cotalker API cannot be read. Last known: {known}"))
        }
        (None | Some(true), _) => summary(webhooks, server_now),
    }
}

/// The state of the webhooks, of which there is at least one.
fn summary(webhooks: &[(WebhookState, &WebhookRow)], server_now: UnixMillis) -> (Tone, String) {
    let count = |wanted| webhooks.iter().filter(|(state, _)| *state == wanted).count();
    let all = webhooks.len();
    let broken = webhooks.iter().filter(|(state, _)| state.needs_attention()).count();
    if broken > 0 {
        let lost = webhooks.iter().map(|(_, webhook)| recently_lost(webhook, server_now)).fold(0, u64::saturating_add);
        let logs = |n| if n == 1 { "log" } else { "logs" };
        let unreadable = count(WebhookState::Unreadable);
        let parts: Vec<String> = [
            (count(WebhookState::Blocked), format!("{} blocked", count(WebhookState::Blocked))),
            (count(WebhookState::Failing), format!("{} failing", count(WebhookState::Failing))),
            (usize::from(lost > 0), format!("{} lost", plural(lost, "event"))),
            (unreadable, format!("{unreadable} {} unreadable", logs(unreadable))),
            (count(WebhookState::Stale), format!("{} stale", count(WebhookState::Stale))),
        ]
        .into_iter()
        .filter_map(|(number, text)| (number > 0).then_some(text))
        .collect();
        let subject = match (broken, all) {
            (1, 1) => String::from("The webhook needs"),
            (_, _) if broken == all => format!("All {all} webhooks need"),
            (1, _) => format!("1 of {all} webhooks needs"),
            (_, _) => format!("{broken} of {all} webhooks need"),
        };
        let worst = webhooks.iter().map(|(state, _)| state.tone()).min().unwrap_or(Tone::Good);
        return (worst, format!("{subject} attention: {}", parts.join(", ")));
    }

    let (healthy, unread, inactive) =
        (count(WebhookState::Healthy), count(WebhookState::Unread), count(WebhookState::Inactive));
    let mut text = match (healthy, unread) {
        (0, 0) if all == 1 => return (Tone::Idle, String::from("The webhook is switched off")),
        (0, 0) => return (Tone::Idle, format!("All {all} webhooks are switched off")),
        (0, _) => format!("{} not read yet", plural(u64::try_from(unread).unwrap_or(u64::MAX), "webhook")),
        (1, 0) => String::from(if inactive == 0 { "The webhook delivers" } else { "The active webhook delivers" }),
        (_, 0) if inactive == 0 => format!("All {healthy} webhooks deliver"),
        (_, 0) => format!("All {healthy} active webhooks deliver"),
        (1, _) => format!("1 webhook delivers, {unread} not read yet"),
        (_, _) => format!("{healthy} webhooks deliver, {unread} not read yet"),
    };
    if inactive > 0 {
        text.push_str(&format!(", {inactive} switched off"));
    }
    (if healthy == 0 { Tone::Idle } else { Tone::Good }, text)
}
