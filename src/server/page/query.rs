//! What a viewer asks of a page, in its URL: `?q=`, `?state=` and `?refresh=0`.

use url::form_urlencoded;

use crate::snapshot::WebhookRow;
use crate::webhook_state::WebhookState;

/// All states that need attention, in a URL.
pub(super) const NEEDS_ATTENTION: &str = "attention";

/// What a viewer asks of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PageQuery {
    /// What to look for in code, name, id and host; empty for everything.
    pub(super) text: String,
    pub(super) state: StateFilter,
    /// Whether the page is to stay as it is.
    pub(super) is_still: bool,
}

/// Which states to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum StateFilter {
    #[default]
    Any,
    NeedsAttention,
    One(WebhookState),
}

impl StateFilter {
    fn of(key: &str) -> Self {
        let one = WebhookState::ALL.into_iter().find(|state| state.key() == key);
        match one {
            Some(state) => Self::One(state),
            None if key == NEEDS_ATTENTION => Self::NeedsAttention,
            None => Self::Any,
        }
    }

    const fn key(self) -> &'static str {
        match self {
            Self::Any => "",
            Self::NeedsAttention => NEEDS_ATTENTION,
            Self::One(state) => state.key(),
        }
    }

    fn admits(self, state: WebhookState) -> bool {
        match self {
            Self::Any => true,
            Self::NeedsAttention => state.needs_attention(),
            Self::One(one) => state == one,
        }
    }
}

impl PageQuery {
    /// The query of a URL. What it does not know it ignores.
    pub(crate) fn parse(query: &str) -> Self {
        let mut parsed = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "q" => value.trim().clone_into(&mut parsed.text),
                "state" => parsed.state = StateFilter::of(&value),
                "refresh" => parsed.is_still = value == "0",
                _ => {}
            }
        }
        parsed
    }

    /// Whether only some webhooks are to be shown.
    pub(super) fn is_filter(&self) -> bool {
        !self.text.is_empty() || self.state != StateFilter::Any
    }

    /// What tells whether a webhook of a state is to be shown.
    pub(super) fn filter(&self) -> impl Fn(&WebhookRow, WebhookState) -> bool {
        let (text, states) = (self.text.to_lowercase(), self.state);
        move |webhook, state| {
            let has_text = |field: &String| field.to_lowercase().contains(&text);
            let fields = [&webhook.label, &webhook.name, &webhook.id, &webhook.target_host];
            states.admits(state) && (text.is_empty() || fields.into_iter().any(has_text))
        }
    }

    /// The same query, with this choice of whether the page stays as it is.
    pub(super) fn still(&self, is_still: bool) -> Self {
        Self { is_still, ..self.clone() }
    }

    /// The same query without its filter.
    pub(super) fn unfiltered(&self) -> Self {
        Self { is_still: self.is_still, ..Self::default() }
    }

    /// The query as a link, with its question mark: what is left out is the default.
    pub(super) fn link(&self) -> String {
        let mut pairs = form_urlencoded::Serializer::for_suffix(String::from("?"), 1);
        if !self.text.is_empty() {
            pairs.append_pair("q", &self.text);
        }
        if self.state != StateFilter::Any {
            pairs.append_pair("state", self.state.key());
        }
        if self.is_still {
            pairs.append_pair("refresh", "0");
        }
        pairs.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_what_its_link_says() {
        for (query, link) in [
            ("", "?"),
            ("q=&state=&x=y", "?"),
            ("q=+Planta+%C3%91u%C3%B1oa+", "?q=Planta+%C3%91u%C3%B1oa"),
            ("q=a%26b%3D1&state=blocked&refresh=0", "?q=a%26b%3D1&state=blocked&refresh=0"),
            ("state=attention", "?state=attention"),
            ("state=nonsense&refresh=5", "?"),
            ("refresh=0&refresh=1", "?"),
            ("q=%ff%22%3E", "?q=%EF%BF%BD%22%3E"),
        ] {
            let parsed = PageQuery::parse(query);
            assert_eq!(parsed.link(), link, "{query}");
            assert_eq!(PageQuery::parse(parsed.link().trim_start_matches('?')), parsed);
        }
        for state in WebhookState::ALL {
            assert_eq!(StateFilter::of(state.key()), StateFilter::One(state));
        }
    }
}
