//! The page in place of a webhook that is not there.

use std::fmt;

use askama::Template;

use super::favicon::favicon;
use super::view::View;
use crate::webhook_state::Tone;
use crate::words::Labels;

/// Writes the page in place of a webhook that is not there.
///
/// # Errors
///
/// If writing fails.
pub(crate) fn write_not_found(view: &View, to: &mut impl fmt::Write) -> fmt::Result {
    let labels = view.labels();
    let page = NotFound { view, labels, title: labels.not_found_title.to_owned(), icon: favicon(Tone::Idle) };
    page.render_into(to).map_err(|_| fmt::Error)
}

#[derive(Template)]
#[template(path = "not_found.html", whitespace = "minimize")]
struct NotFound<'a> {
    view: &'a View,
    labels: &'static Labels,
    title: String,
    icon: &'static str,
}
