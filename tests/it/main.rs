//! The one integration binary: a single link, whatever the number of modules.

mod counting;
mod model;
