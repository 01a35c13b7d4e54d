//! How are tests found, run and told of? The part of `quartz test` that is not the command line.
//!
//! Four kinds of processes: the *runner* goes through the files, several at once. For each specification a *server*, which
//! has in memory what all of them need, forks a *host*, which compiles the file once. The host forks *workers*, which run
//! tests until they are through or one of them takes the worker down; then the next worker goes on with what is left. So a
//! panic, an exit, a crash or an endless loop is the failure of one test.

mod choose;
mod coverage;
mod examples;
mod find;
mod host;
mod report;
mod result;
mod runner;
mod server;
mod tied;
mod worker;

pub use choose::Choice;
pub use coverage::{Line, SharedCounters};
pub use examples::{Example, examples_of_module, examples_of_page};
pub use host::{HostOptions, host, tell_lines};
pub use report::Format;
pub use runner::{Options, test};
pub use server::Hosting;
pub use tied::ends_with_us;
