//! The places of a program as constant data, for panics and backtraces: see [`qz_rt_abi::native`].

use std::fmt::Write;

use qz_codegen::PlaceTable;
use qz_rt_abi::native::Place;

/// The table and its texts as global constants `@qz.places` and `@qz.texts`.
pub(crate) fn print(table: &PlaceTable, out: &mut String) {
    let rows: Vec<String> = table.places.iter().map(row).collect();
    let _ = writeln!(out, "@qz.places = private constant [{} x %qz.place] [", rows.len());
    let _ = writeln!(out, "  {}\n], align 8", rows.join(",\n  "));
    let (len, text) = (table.texts.len(), crate::data::escaped(table.texts.as_bytes()));
    let _ = writeln!(out, "@qz.texts = private constant [{len} x i8] c\"{text}\", align 1");
}

fn row(place: &Place) -> String {
    let Place { function, function_len, file, file_len, line, column, parent, flags } = *place;
    let parent = parent as i32;
    format!(
        "%qz.place {{ i32 {function}, i32 {function_len}, i32 {file}, i32 {file_len}, i32 {line}, i32 {column}, \
         i32 {parent}, i32 {flags} }}"
    )
}
