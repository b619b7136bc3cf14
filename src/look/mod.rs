//! One look at the account, without a daemon: what `check` and `lost` have in common.

mod account;
mod json;
mod options;
mod table;

pub use self::account::{Account, ListFacts, Unreadable, look};
pub use self::options::Output;

pub(crate) use self::account::NO_WEBHOOK;
pub(crate) use self::json::pretty;
pub(crate) use self::options::output;
pub(crate) use self::table::{date, printable, table};
