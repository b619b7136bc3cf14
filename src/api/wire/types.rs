//! The vendor's JSON, field by field. What is not named here is skipped unread.

use serde::Deserialize;

use super::lenient::{Object, Scalar};

/// One entry of a log.
#[derive(Deserialize)]
pub(super) struct WireAttempt<'a> {
    #[serde(rename = "_id", default, borrow)]
    pub(super) id: Scalar<'a>,
    #[serde(default, borrow)]
    pub(super) subscription: Scalar<'a>,
    #[serde(rename = "createdAt", default, borrow)]
    pub(super) created_at: Scalar<'a>,
    #[serde(default, borrow)]
    pub(super) status: Scalar<'a>,
    #[serde(default, borrow)]
    pub(super) retry: Scalar<'a>,
    #[serde(default, borrow)]
    pub(super) response: Scalar<'a>,
    #[serde(default = "Object::none", borrow)]
    pub(super) event: Object<WireEvent<'a>>,
}

/// What an entry is about.
#[derive(Deserialize)]
pub(super) struct WireEvent<'a> {
    #[serde(default, borrow)]
    pub(super) company: Scalar<'a>,
    #[serde(rename = "type", default, borrow)]
    pub(super) event_type: Scalar<'a>,
    #[serde(rename = "event", default, borrow)]
    pub(super) action: Scalar<'a>,
    #[serde(rename = "createdAt", default, borrow)]
    pub(super) created_at: Scalar<'a>,
    #[serde(default = "Object::none", borrow)]
    pub(super) data: Object<WireData<'a>>,
    #[serde(rename = "extraData", default = "Object::none", borrow)]
    pub(super) extra_data: Object<WireExtraData<'a>>,
}

/// The object that changed; all of it but its id is skipped.
#[derive(Deserialize)]
pub(super) struct WireData<'a> {
    #[serde(rename = "_id", default, borrow)]
    pub(super) id: Scalar<'a>,
}

/// What events without an object have instead of one.
#[derive(Deserialize)]
pub(super) struct WireExtraData<'a> {
    #[serde(rename = "userId", default, borrow)]
    pub(super) user_id: Scalar<'a>,
}

/// One entry of the list, or the response of the by-id call.
#[derive(Deserialize)]
pub(super) struct WireWebhook<'a> {
    #[serde(rename = "_id", default, borrow)]
    pub(super) id: Scalar<'a>,
    #[serde(default, borrow)]
    pub(super) company: Scalar<'a>,
    #[serde(default, borrow)]
    pub(super) code: Scalar<'a>,
    #[serde(default, borrow)]
    pub(super) name: Scalar<'a>,
    #[serde(default, borrow)]
    pub(super) trigger: Scalar<'a>,
    #[serde(default, borrow)]
    pub(super) url: Scalar<'a>,
    #[serde(rename = "isActive", default, borrow)]
    pub(super) is_active: Scalar<'a>,
}

/// The response of the login.
#[derive(Deserialize)]
pub(super) struct WireLogin<'a> {
    #[serde(default, borrow)]
    pub(super) token: Scalar<'a>,
}
