//! Which call a request is.

use http::{Method, Request};
use hyper::body::Incoming;

use delivery_ledger::WebhookId;

use super::recorder::Endpoint;

/// The path of the webhook calls. Source: Cotalker's API documentation.
const SUBSCRIPTION: &str = "/api/v3/webhook/subscription";

/// Which call this is, and which webhook it asks for.
pub(crate) fn endpoint_of(request: &Request<Incoming>, prefix: &str) -> (Endpoint, Option<WebhookId>) {
    let Some(path) = request.uri().path().strip_prefix(prefix) else { return (Endpoint::Unknown, None) };
    if path == "/auth/local" && request.method() == Method::POST {
        return (Endpoint::Login, None);
    }
    let Some(rest) = path.strip_prefix(SUBSCRIPTION).filter(|_| request.method() == Method::GET) else {
        return (Endpoint::Unknown, None);
    };
    if rest.is_empty() {
        return (Endpoint::List, None);
    }
    // An id that is none is asked for like any other that does not exist.
    let (endpoint, id) = match (rest.strip_prefix("/logs/"), rest.strip_prefix('/')) {
        (Some(id), _) => (Endpoint::Logs, id),
        (None, Some(id)) => (Endpoint::Webhook, id),
        (None, None) => return (Endpoint::Unknown, None),
    };
    if id.contains('/') { (Endpoint::Unknown, None) } else { (endpoint, id.parse().ok()) }
}
