//! Where is the cache? A project has one in its own folder; programs that belong to no project share the user's.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use qz_cache::{Remote, Store};

/// What makes a folder a project.
const SIGNS: [&str; 3] = [".quartz-cache", "Quakefile.qz", ".git"];
const NAME: &str = ".quartz-cache";
/// Megabytes that it may take, unless `QUARTZ_CACHE_SIZE` says otherwise.
const SIZE: u64 = 2048;

/// A cache's folder, and what else is known of it.
#[derive(Clone)]
pub struct Place {
    pub folder: PathBuf,
    /// In bytes.
    pub limit: u64,
    pub remote: Option<Arc<dyn Remote>>,
}

/// There is no cache: its folder cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheProblem {
    pub folder: PathBuf,
    pub reason: String,
}

impl Place {
    /// The cache for a program: what `QUARTZ_CACHE_DIR` says, the one of the project that its file is in, or the user's.
    pub fn find(root: &Path) -> Place {
        let megabytes =
            std::env::var("QUARTZ_CACHE_SIZE").ok().and_then(|it| it.parse().ok()).unwrap_or(SIZE);
        let folder = said().or_else(|| project(root)).unwrap_or_else(users);
        Place { folder, limit: megabytes << 20, remote: None }
    }

    /// The same, with the shared store behind it that `QUARTZ_CACHE_REMOTE` names. An address that means nothing is the
    /// error.
    pub fn shared(root: &Path) -> Result<Place, String> {
        let place = Place::find(root);
        let Some(address) = std::env::var("QUARTZ_CACHE_REMOTE").ok().filter(|it| !it.is_empty()) else {
            return Ok(place);
        };
        let secret = std::env::var("QUARTZ_CACHE_SECRET").ok();
        let remote = qz_remote::open(&address, secret.as_deref())
            .map_err(|words| format!("QUARTZ_CACHE_REMOTE names no store: {words}"))?;
        Ok(Place { remote: Some(remote), ..place })
    }

    /// What a file is called, wherever the project stands.
    pub(crate) fn name_of(&self, file: &Path) -> String {
        let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
        let project = self.folder.parent().and_then(|it| it.canonicalize().ok()).unwrap_or_default();
        file.strip_prefix(&project).unwrap_or(&file).display().to_string()
    }

    pub(crate) fn open(&self) -> Result<Store, CacheProblem> {
        let store = Store::open(&self.folder, self.limit)
            .map_err(|error| CacheProblem { folder: self.folder.clone(), reason: error.to_string() })?;
        Ok(match &self.remote {
            Some(remote) => store.with_remote(remote.clone()),
            None => store,
        })
    }
}

fn said() -> Option<PathBuf> {
    std::env::var_os("QUARTZ_CACHE_DIR").filter(|it| !it.is_empty()).map(PathBuf::from)
}

fn project(root: &Path) -> Option<PathBuf> {
    let real = root.canonicalize().ok()?;
    let start = if real.is_dir() { &*real } else { real.parent()? };
    let is_project = |folder: &&Path| SIGNS.iter().any(|sign| folder.join(sign).exists());
    start.ancestors().find(is_project).map(|it| it.join(NAME))
}

fn users() -> PathBuf {
    let named = |name: &str| std::env::var_os(name).filter(|it| !it.is_empty()).map(PathBuf::from);
    let base = named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")));
    base.unwrap_or_else(std::env::temp_dir).join("quartz")
}
