//! What one look at the logs shows of how the API writes them, where its documentation says nothing. Nothing here counts.

mod facts;
mod order;
mod retention;
mod rows;

pub use facts::{LogFacts, LogSurvey};
pub use order::LogOrder;
pub use retention::{Guess, LogExtent, guess_retention};
pub use rows::{EventRows, Rows};
