//! Which files are tested?

use std::path::{Path, PathBuf};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A specification: its name ends in `_spec.qz`.
    Spec(PathBuf),
    /// A module whose doc comments may hold examples.
    Module(PathBuf),
    /// A page whose code blocks are programs.
    Page(PathBuf),
}

impl Target {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Target::Spec(path) | Target::Module(path) | Target::Page(path) => path,
        }
    }
}

/// What is to be tested below the paths, in order of the paths and then of names. Pages are tested where they are named
/// themselves. The error is a path that cannot be tested.
pub(crate) fn find(paths: &[PathBuf]) -> Result<Vec<Target>, String> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            let mut below = Vec::new();
            collect(path, &mut below);
            below.sort();
            found.extend(below.into_iter().filter_map(|it| target(&it)).filter(|it| !is_page(it)));
        } else if !path.exists() {
            return Err(format!("`{}` does not exist", path.display()));
        } else {
            let named = target(path);
            found.push(named.ok_or_else(|| format!("`{}` is neither .qz nor .md", path.display()))?);
        }
    }
    Ok(found)
}

fn is_page(target: &Target) -> bool {
    matches!(target, Target::Page(_))
}

fn target(path: &Path) -> Option<Target> {
    let name = path.file_name()?.to_string_lossy();
    let path = path.strip_prefix(".").unwrap_or(path).to_path_buf();
    if name.ends_with("_spec.qz") {
        Some(Target::Spec(path))
    } else if name.ends_with(".qz") {
        Some(Target::Module(path))
    } else if name.ends_with(".md") {
        Some(Target::Page(path))
    } else {
        None
    }
}

/// All files below a folder, but for hidden folders and what builds leave.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if !path.is_dir() {
            files.push(path);
        } else if !name.starts_with('.') && name != "target" && !path.is_symlink() {
            collect(&path, files);
        }
    }
}
