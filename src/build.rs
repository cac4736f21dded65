//! Says what the compiled-in files are, so that adding one rebuilds: the macros that read them see changes only.

fn main() {
    println!("cargo::rerun-if-changed=catalogue");
    println!("cargo::rerun-if-changed=migrations");
}
