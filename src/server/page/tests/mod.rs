mod cards;
mod fixtures;
mod list;
mod one_webhook;
mod states;
mod texts;
