//! The linker makes a digest of the compiler, by which its cache knows one compiler from another.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|it| it == "linux") {
        println!("cargo:rustc-link-arg=-Wl,--build-id=sha1");
    }
}
