//! What was made before, by what it was made from: a store of entries on disk.
//!
//! * [`key`]: everything a stage read, as one digest;
//! * [`entry`]: an entry's form on disk, which tells a whole one from a damaged one;
//! * [`store`]: a folder of entries, shared by any number of processes that may be killed at any point;
//! * [`evict`]: how the folder stays below its bound;
//! * [`remote`]: a store that others share, behind the local one.
//!
//! Looking up and skipping are one operation: a stage is skipped only because [`Store::get`] handed its result over.
//! Nothing here knows what entries mean.

pub mod entry;
pub mod evict;
pub mod key;
pub mod remote;
pub mod store;

pub use entry::Damage;
pub use evict::{Evicted, Usage};
pub use key::{Key, KeyBuilder};
pub use remote::Remote;
pub use store::{Found, Store, Tier};

/// Why postcard's bytes could not be read back; the same as a damaged entry.
pub type Unreadable = postcard::Error;

/// A record as bytes.
pub fn encode<T: serde::Serialize>(record: &T) -> Vec<u8> {
    postcard::to_stdvec(record).expect("records have no part that cannot be written")
}

/// The record again. Bytes that are no record are an error.
pub fn decode<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, Unreadable> {
    postcard::from_bytes(bytes)
}
