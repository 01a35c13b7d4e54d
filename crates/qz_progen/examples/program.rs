//! Prints the program of a number: `cargo run -p qz_progen --example program -- 17`.

fn main() {
    let seed = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(0);
    print!("{}", qz_progen::program(seed));
}
