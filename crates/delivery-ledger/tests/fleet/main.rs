//! The fleet against an independent model, and scenarios that read like the specification. Time is passed in.
//!
//! ```text
//! cloud ─ what there is: webhooks, their logs, how calls go ─► shell ─ carries out effects, checks what may start ─► fleet
//! model ─ docs/specification.md, rules 1, 3 and 10, done the slow way ─► compared after every input
//! ```

mod by_id;
mod checks;
mod cloud;
mod disk;
mod failure;
mod hand;
mod model;
mod properties;
mod record;
mod scale;
mod scenarios;
mod schedules;
mod shell;
mod steps;
