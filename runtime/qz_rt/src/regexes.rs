//! Regexes: compiled when they are first used, and kept for the next time by their text.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use qz_rt_abi::Fiber;
use qz_rt_abi::object::StrObject;
use regex::Regex;

use crate::strings::{new, text};

/// No program writes more regexes than this; one that makes them of its input starts anew.
const MOST: usize = 1000;

type Known = HashMap<Box<str>, Result<Arc<Regex>, String>, foldhash::fast::RandomState>;

static KNOWN: LazyLock<RwLock<Known>> = LazyLock::new(RwLock::default);

/// The regex of a text, or what is wrong with it.
fn compiled(pattern: &str) -> Result<Arc<Regex>, String> {
    if let Some(known) = KNOWN.read().unwrap_or_else(PoisonError::into_inner).get(pattern) {
        return known.clone();
    }
    let made = Regex::new(pattern).map(Arc::new).map_err(|error| words(&error));
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    if known.len() >= MOST {
        known.clear();
    }
    known.insert(pattern.into(), made.clone());
    made
}

/// One line: the last of a message with a picture of the pattern.
fn words(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

pub(crate) unsafe fn regex_problem(fiber: *mut Fiber, pattern: *mut StrObject) -> *mut StrObject {
    // SAFETY: generated code passes a live string.
    unsafe { new(fiber, &compiled(text(pattern)).err().unwrap_or_default()) }
}

pub(crate) unsafe fn regex_size(_fiber: *mut Fiber, pattern: *mut StrObject) -> i64 {
    // SAFETY: generated code passes a live string.
    unsafe { compiled(text(pattern)).map_or(0, |it| it.captures_len() as i64) }
}

pub(crate) unsafe fn regex_name(fiber: *mut Fiber, pattern: *mut StrObject, group: i64) -> *mut StrObject {
    // SAFETY: generated code passes a live string.
    unsafe {
        let regex = compiled(text(pattern));
        let name = regex.as_ref().ok().and_then(|it| it.capture_names().nth(usize::try_from(group).ok()?)?);
        new(fiber, name.unwrap_or_default())
    }
}

pub(crate) unsafe fn regex_find(
    _fiber: *mut Fiber,
    pattern: *mut StrObject,
    searched: *mut StrObject,
    from: i64,
    spans: *mut u8,
    groups: i64,
) -> i64 {
    // SAFETY: generated code passes live strings and memory for two numbers for each group.
    unsafe {
        let Ok(regex) = compiled(text(pattern)) else { return -1 };
        let searched = text(searched);
        let Some(from) = usize::try_from(from).ok().filter(|&it| searched.is_char_boundary(it)) else {
            return 0;
        };
        let spans = std::slice::from_raw_parts_mut(spans.cast::<[i64; 2]>(), groups.max(0) as usize);
        let mut put = |n: usize, found: Option<(usize, usize)>| {
            if let Some(span) = spans.get_mut(n) {
                *span = found.map_or([-1, -1], |(start, end)| [start as i64, end as i64]);
            }
        };
        // The whole match alone is found faster.
        if groups <= 1 {
            let found = regex.find_at(searched, from);
            put(0, found.map(|it| (it.start(), it.end())));
            return i64::from(found.is_some());
        }
        let mut locations = regex.capture_locations();
        let found = regex.captures_read_at(&mut locations, searched, from).is_some();
        (0..locations.len()).filter(|_| found).for_each(|n| put(n, locations.get(n)));
        i64::from(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_have_one_line() {
        assert_eq!(compiled("(a").err().as_deref(), Some("unclosed group"));
        assert!(compiled(&"(a{500}){500}{500}".repeat(3)).is_err_and(|words| words.lines().count() == 1));
    }

    #[test]
    fn there_are_only_so_many() {
        (0..2 * MOST).for_each(|n| assert!(compiled(&format!("a{n}")).is_ok()));
        assert!(KNOWN.read().is_ok_and(|it| it.len() <= MOST));
    }
}
