//! What do other languages call it? Names of members elsewhere, and the names here that may be meant, likeliest
//! first. Only those that the type at hand has are told.

/// The names here for one from elsewhere; `camelCase` is looked up as `camel_case`.
pub(crate) fn names_here(elsewhere: &str) -> &'static [&'static str] {
    let snake = snake_case(elsewhere);
    SYNONYMS.iter().find(|(others, _)| others.contains(&snake.as_str())).map_or(&[], |(_, here)| here)
}

fn snake_case(name: &str) -> String {
    if name.bytes().all(|it| it.is_ascii_uppercase() || it == b'_') {
        return name.to_ascii_lowercase();
    }
    let mut out = String::with_capacity(name.len() + 4);
    for (n, c) in name.chars().enumerate() {
        if c.is_ascii_uppercase() && n > 0 {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

const SYNONYMS: &[(&[&str], &[&str])] = &[
    (&["length", "len", "count", "size_of", "nbytes"], &["size", "count"]),
    (&["is_empty", "is_empty?", "empty", "blank"], &["empty?", "blank?"]),
    (
        &["append", "add", "push_back", "enqueue", "offer", "push_str", "put"],
        &["push", "insert", "append", "add"],
    ),
    (&["prepend", "unshift", "push_front"], &["push_front", "insert"]),
    (&["pop_back", "dequeue", "poll", "shift"], &["pop"]),
    (&["remove", "remove_at", "erase", "discard", "delete_at"], &["delete", "remove"]),
    (&["at", "fetch", "lookup", "nth", "elem", "char_at"], &["get"]),
    (&["head", "front"], &["first"]),
    (&["tail", "back"], &["last"]),
    (
        &["has_key", "has_key?", "key?", "contains_key", "contains_key?", "exists", "exists?"],
        &["has", "contains"],
    ),
    (&["includes", "includes?", "include?", "contains?", "member?", "elem?", "has"], &["contains", "has"]),
    (&["for_each", "each_pair", "each_char", "iter_mut"], &["each", "chars"]),
    (&["each_with_index"], &["enumerate", "map_with_index"]),
    (&["with_index", "zip_with_index", "entries", "items"], &["enumerate", "to_vec", "iter"]),
    (&["collect", "to_a", "to_list", "to_array", "as_list"], &["to_vec", "map"]),
    (&["select", "find_all", "where"], &["filter"]),
    (&["filter_not", "remove_if"], &["reject"]),
    (&["inject", "fold", "foldl", "fold_left", "aggregate"], &["reduce"]),
    (&["collect_concat", "concat_map", "bind", "select_many"], &["flat_map", "and_then"]),
    (&["detect", "find_first", "first_where"], &["find"]),
    (&["any", "some", "some?", "exists_any"], &["any?"]),
    (&["all", "every", "every?"], &["all?"]),
    (&["none"], &["none?"]),
    (&["skip"], &["drop"]),
    (&["skip_while"], &["drop_while"]),
    (&["limit"], &["take"]),
    (&["minimum"], &["min"]),
    (&["maximum"], &["max"]),
    (&["min"], &["min_value"]),
    (&["max"], &["max_value"]),
    (&["total"], &["sum"]),
    (&["order", "order_by", "sort_by_key"], &["sort", "sorted", "sort_by"]),
    (&["reverse", "rev"], &["reversed", "reverse"]),
    (&["uniq", "distinct"], &["unique"]),
    (&["each_slice", "in_groups_of", "chunk"], &["chunks"]),
    (&["each_cons", "sliding"], &["windows"]),
    (&["flat"], &["flatten"]),
    (&["merge", "update_with"], &["merged", "extend"]),
    (&["extend_from_slice", "add_all", "push_all", "concat"], &["extend", "concat"]),
    (&["to_s", "to_str", "to_string", "string", "str"], &["show", "to_text"]),
    (&["dup", "copy", "deep_copy"], &["clone"]),
    (&["upcase", "to_upper", "uppercase", "to_upper_case", "to_uppercase"], &["upper"]),
    (&["downcase", "to_lower", "lowercase", "to_lower_case", "to_lowercase"], &["lower"]),
    (&["capitalize", "title"], &["capitalized"]),
    (&["letter?", "is_letter", "alphabetic?", "is_alphabetic", "is_alpha", "isalpha"], &["alpha?"]),
    (&["alnum?", "is_alnum", "is_alphanumeric"], &["alphanumeric?"]),
    (&["is_digit", "isdigit", "is_numeric"], &["digit?", "numeric?"]),
    (&["uppercase?", "is_upper", "is_uppercase"], &["upper?"]),
    (&["lowercase?", "is_lower", "is_lowercase"], &["lower?"]),
    (&["strip", "chomp"], &["trim"]),
    (&["lstrip", "trim_left", "strip_start"], &["trim_start"]),
    (&["rstrip", "trim_right", "strip_end"], &["trim_end"]),
    (&["index", "find_index", "position", "index_where"], &["index_of", "find_index", "position"]),
    (&["starts_with", "start_with?", "has_prefix"], &["starts_with?"]),
    (&["ends_with", "end_with?", "has_suffix"], &["ends_with?"]),
    (&["gsub", "replace_all"], &["replace"]),
    (&["sub"], &["replace_first"]),
    (&["substring", "substr", "slice"], &["take", "drop"]),
    (&["ljust", "pad_end"], &["pad_right"]),
    (&["rjust", "pad_start"], &["pad_left"]),
    (&["center_text", "centre"], &["center"]),
    (&["to_i", "parse_int", "as_int"], &["to_int"]),
    (&["to_f", "parse_float", "as_float"], &["to_float"]),
    (&["each_line", "split_lines"], &["lines"]),
    (&["is_some", "present?", "is_present"], &["some?"]),
    (&["is_none", "nil?", "is_nil", "absent?"], &["none?"]),
    (&["is_ok"], &["ok?"]),
    (&["is_err", "error?"], &["err?"]),
    (&["or", "or_default", "get_or_else", "or_else_get"], &["unwrap_or"]),
    (&["then", "flat_map"], &["and_then", "flat_map"]),
    (&["whitespace?", "is_space", "isspace", "is_whitespace"], &["space?"]),
    (&["is_even"], &["even?"]),
    (&["is_odd"], &["odd?"]),
    (&["is_nan"], &["nan?"]),
    (&["power"], &["pow"]),
    (&["group", "grouped"], &["group_by"]),
    (&["get_or_default", "get_or", "get_or_insert", "entry", "set_default"], &["get_or_put", "get"]),
    (&["key_set"], &["keys"]),
    (&["value_set"], &["values"]),
    (&["invert"], &["inverted"]),
    (&["union_with"], &["union"]),
    (&["intersect", "intersection_with"], &["intersection"]),
    (&["is_subset", "issubset"], &["subset?"]),
    (&["top"], &["peek", "last"]),
];

#[cfg(test)]
mod tests {
    use super::{SYNONYMS, names_here};

    #[test]
    fn camel_case_is_the_same_name() {
        assert_eq!(names_here("forEach"), names_here("for_each"));
        assert_eq!(names_here("toUpperCase"), ["upper"]);
        assert_eq!(names_here("MAX"), ["max_value"]);
        assert!(names_here("frobnicate").is_empty());
    }

    #[test]
    fn every_name_stands_once() {
        let mut names: Vec<&str> = SYNONYMS.iter().flat_map(|(others, _)| *others).copied().collect();
        names.sort_unstable();
        let twice: Vec<&[&str]> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(twice.is_empty(), "{twice:?}");
    }
}
