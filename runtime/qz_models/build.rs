//! Builds the files of `qz_sched` as the model checker wants them, without a flag for the rest of the workspace.

fn main() {
    println!("cargo:rustc-cfg=loom");
    println!("cargo:rerun-if-changed=build.rs");
}
