//! What the status page shows, as JSON, with the events to replay. `docs/api-v1.schema.json` describes it.

mod call;
mod list;
mod retention;
mod webhook;

pub(super) use self::call::Call;
