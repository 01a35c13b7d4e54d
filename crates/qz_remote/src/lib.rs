//! Stores that several machines share, by address: `redis://host:6379/0/prefix`, `s3://bucket/prefix?endpoint=…`,
//! `https://host/path` (any server that takes `GET` and `PUT`, as for WebDAV, Bazel or ccache), or a folder.
//!
//! Whoever can write to such a store can put machine code into it that others run. With a secret, entries carry a message
//! authentication code, and those of anybody else are no entries.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, Mac};
use opendal::{ErrorKind, Operator};
use qz_cache::Remote;
use sha2::Sha256;
use tokio::runtime::Runtime;

/// A call that takes longer costs more than it saves.
const LIMIT: Duration = Duration::from_secs(5);
const CODE: usize = 32;

/// Opens the store at an address; nothing is sent yet. An address that cannot be understood is the error.
pub fn open(address: &str, secret: Option<&str>) -> Result<Arc<dyn Remote>, String> {
    // Whoever was first is as good.
    rustls::crypto::ring::default_provider().install_default().ok();
    let operator = operator(address).map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let place = without_password(address);
    let secret = secret.filter(|it| !it.is_empty()).map(|it| it.as_bytes().to_vec());
    Ok(Arc::new(Store { operator, runtime, place, secret }))
}

fn operator(address: &str) -> opendal::Result<Operator> {
    match address.split_once("://") {
        Some(("http" | "https", rest)) => {
            let (host, root) = rest.split_once('/').unwrap_or((rest, ""));
            let scheme = &address[..address.len() - rest.len()];
            let options = [("endpoint", format!("{scheme}{host}")), ("root", format!("/{root}"))];
            Operator::via_iter("webdav", options.map(|(name, value)| (name.to_owned(), value)))
        }
        Some(_) => Operator::from_uri(address),
        None => Operator::via_iter("fs", [("root".to_owned(), address.to_owned())]),
    }
}

/// An address as it may be shown.
fn without_password(address: &str) -> String {
    let (head, query) = address.split_once('?').unwrap_or((address, ""));
    let shown = match (head.split_once("://"), head.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        _ => head.to_owned(),
    };
    if query.is_empty() { shown } else { shown + "?…" }
}

struct Store {
    operator: Operator,
    runtime: Runtime,
    place: String,
    secret: Option<Vec<u8>>,
}

impl Store {
    fn wait<T>(&self, call: impl Future<Output = opendal::Result<T>>) -> io::Result<Option<T>> {
        let limited = async { tokio::time::timeout(LIMIT, call).await };
        match self.runtime.block_on(limited) {
            Ok(Ok(value)) => Ok(Some(value)),
            Ok(Err(error)) if error.kind() == ErrorKind::NotFound => Ok(None),
            Ok(Err(error)) => Err(io::Error::other(error.to_string())),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no answer for 5 seconds")),
        }
    }

    /// The code of an entry: its name is part of it, so that none can stand in for another.
    fn code(&self, secret: &[u8], name: &str, bytes: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key may have any length");
        mac.update(&(name.len() as u64).to_le_bytes());
        mac.update(name.as_bytes());
        mac.update(bytes);
        mac
    }
}

impl Remote for Store {
    fn get(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let Some(found) = self.wait(self.operator.read(name))? else { return Ok(None) };
        let mut bytes = found.to_vec();
        let Some(secret) = &self.secret else { return Ok(Some(bytes)) };
        let at = bytes.len().saturating_sub(CODE);
        let code = bytes.split_off(at);
        match self.code(secret, name, &bytes).verify_slice(&code) {
            Ok(()) => Ok(Some(bytes)),
            Err(_) => Err(io::Error::other("an entry is not from somebody who knows QUARTZ_CACHE_SECRET")),
        }
    }

    fn put(&self, name: &str, mut bytes: Vec<u8>) -> io::Result<()> {
        if let Some(secret) = &self.secret {
            let code = self.code(secret, name, &bytes).finalize().into_bytes();
            bytes.extend_from_slice(&code);
        }
        self.wait(self.operator.write(name, bytes)).map(drop)
    }

    fn place(&self) -> String {
        self.place.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        let shown = |it| without_password(it);
        assert_eq!(shown("redis://user:secret@host:6379/0"), "redis://host:6379/0");
        assert_eq!(shown("s3://bucket/a?secret_access_key=x"), "s3://bucket/a?…");
        assert_eq!(shown("/var/cache"), "/var/cache");
    }

    #[test]
    fn a_folder_keeps_entries() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let address = folder.path().to_str().expect("a name of ours");
        let store = open(address, None).expect("a folder is an address");
        assert_eq!(store.get("a/b").expect("it answers"), None);
        store.put("a/b", vec![1, 2, 3]).expect("it can be written");
        assert_eq!(store.get("a/b").expect("it answers"), Some(vec![1, 2, 3]));
    }

    #[test]
    fn entries_of_others_are_refused_where_there_is_a_secret() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let address = folder.path().to_str().expect("a name of ours");
        let ours = open(address, Some("one")).expect("a folder is an address");
        ours.put("a", vec![1, 2, 3]).expect("it can be written");
        assert_eq!(ours.get("a").expect("it is ours"), Some(vec![1, 2, 3]));
        let others = open(address, Some("two")).expect("a folder is an address");
        assert!(others.get("a").is_err());
        others.put("b", vec![4]).expect("it can be written");
        assert!(ours.get("b").is_err());
        std::fs::copy(folder.path().join("a"), folder.path().join("c")).expect("it can be copied");
        assert!(ours.get("c").is_err(), "an entry under another name");
    }

    #[test]
    fn addresses_that_mean_nothing() {
        assert!(open("gopher://host", None).is_err());
    }
}
