//! A webhook as the API describes it.

use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::event::{Action, EventType};
use crate::id::WebhookId;

/// A webhook as the list describes it, its receiver's URL already cut down to the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Its `_id`.
    pub id: WebhookId,
    /// The company that it belongs to, as the API spells the id; may be empty.
    pub company: String,
    /// Its code, unique in the company and fixed once saved; may be empty.
    pub code: String,
    /// Its name, free text.
    pub name: String,
    /// What sets it off, such as `create-edit-delete-task`; may be empty.
    pub trigger: String,
    /// The receiver's host, and the port if the URL gives one; empty where the URL has no host.
    pub target_host: String,
    /// Whether it is switched on.
    pub active: bool,
}

impl Webhook {
    /// What it is called in labels and logs: its code, or its id where it has none.
    #[must_use]
    pub fn label(&self) -> String {
        if self.code.is_empty() { self.id.to_string() } else { self.code.clone() }
    }

    /// The kinds of event that its trigger can give; none for a trigger that this version does not know.
    /// Source: the API's documented triggers, `create-edit-delete-{user,task,survey,property,note}` and `logout-user`.
    #[must_use]
    pub fn expected_events(&self) -> Vec<(EventType, Action)> {
        let event_type = match self.trigger.as_str() {
            "create-edit-delete-task" => EventType::Task,
            "create-edit-delete-user" => EventType::User,
            "create-edit-delete-survey" => EventType::Survey,
            "create-edit-delete-property" => EventType::Property,
            "create-edit-delete-note" => EventType::Note,
            "logout-user" => return vec![(EventType::Auth, Action::Logout)],
            _ => return Vec::new(),
        };
        [Action::Create, Action::Edit, Action::Delete].map(|action| (event_type, action)).to_vec()
    }
}
