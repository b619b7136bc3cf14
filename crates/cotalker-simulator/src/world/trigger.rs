//! What sets a webhook off.

/// What sets a webhook off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// Users.
    User,
    /// Work orders.
    Task,
    /// Forms that were filled in.
    Survey,
    /// Properties.
    Property,
    /// Notes.
    Note,
    /// Logouts.
    Logout,
    /// A trigger that is not documented (yet).
    Unknown,
}

impl Trigger {
    /// Every documented trigger.
    pub const DOCUMENTED: [Self; 6] = [Self::User, Self::Task, Self::Survey, Self::Property, Self::Note, Self::Logout];

    /// Its text in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "create-edit-delete-user",
            Self::Task => "create-edit-delete-task",
            Self::Survey => "create-edit-delete-survey",
            Self::Property => "create-edit-delete-property",
            Self::Note => "create-edit-delete-note",
            Self::Logout => "logout-user",
            Self::Unknown => "create-edit-delete-channel",
        }
    }

    /// The `type` of its events.
    #[must_use]
    pub const fn event_type(self) -> &'static str {
        match self {
            Self::User => "COTUser",
            Self::Task => "COTTask",
            Self::Survey => "COTSurvey",
            Self::Property => "COTProperty",
            Self::Note => "COTNote",
            Self::Logout => "Auth",
            Self::Unknown => "COTChannel",
        }
    }
}
