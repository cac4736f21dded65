use std::os::unix::fs::{MetadataExt, chown};

use super::*;

/// A directory of its own for one test, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    /// With a root key in it.
    fn new() -> (Self, NextRootKey, RootKey) {
        let path = std::env::temp_dir().join(format!("kw-next-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&path).expect("a directory");
        let next = NextRootKey::beside(path.join("root.key"));
        let old = RootKey::generate();
        old.create_file(next.current()).expect("a file");
        (Self(path), next, old)
    }

    fn copy_of(&self, key: &RootKey) -> PathBuf {
        self.0.join(format!("root.key.{}", key.root_id()))
    }

    fn files(&self) -> usize {
        fs::read_dir(&self.0).expect("readable").count()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn id_of(path: &Path) -> RootId {
    RootKey::from_file(path).expect("a key").root_id()
}

#[test]
fn the_next_key_takes_the_place_and_the_old_one_stays_beside_it() {
    let (scratch, next, old) = Scratch::new();
    assert!(next.prepare().expect("made"));
    let new = id_of(next.next());
    assert!(!next.prepare().expect("begun already"));
    assert_eq!(id_of(next.next()), new);
    // A run that was cut short after the copy.
    old.create_file(scratch.copy_of(&old)).expect("a file");
    let kept = next.install(new).expect("installed").expect("copied");

    assert_eq!(id_of(next.current()), new);
    assert_eq!(id_of(&kept), old.root_id());
    // A run that was cut short before it could tell: no third key is made.
    assert!(!next.prepare().expect("not ended"));
    assert_eq!(next.install(new).expect("in its place"), None);
    next.end(new).expect("ended");
    assert!(!next.next().exists());
    assert_eq!(next.install(new).expect("in its place"), None);
    assert_eq!(scratch.files(), 2);
}

#[test]
fn nothing_to_rotate_from_is_refused() {
    let (_scratch, next, _) = Scratch::new();
    fs::remove_file(next.current()).expect("removed");
    assert!(next.prepare().is_err());
    assert!(!next.next().exists());
}

/// What a crash leaves of a file that was made and not written.
#[test]
fn empty_leftovers_are_made_anew() {
    let (scratch, next, old) = Scratch::new();
    fs::write(next.next(), "").expect("written");
    fs::write(scratch.copy_of(&old), "").expect("written");
    assert!(next.key().expect("no reason to refuse a start").is_none());

    assert!(next.prepare().expect("made"));
    let new = id_of(next.next());
    let kept = next.install(new).expect("installed").expect("copied");

    assert_eq!((id_of(next.current()), id_of(&kept)), (new, old.root_id()));
    assert_eq!(scratch.files(), 3);
}

#[test]
fn another_next_key_than_the_one_that_seals_is_not_installed() {
    let (_scratch, next, old) = Scratch::new();
    let root = RootKey::generate().root_id();
    assert!(next.install(root).is_err(), "there is none");
    next.prepare().expect("made");
    let error = next.install(root).expect_err("another one").to_string();
    assert!(error.contains(&root.to_string()), "{error}");
    assert_eq!(id_of(next.current()), old.root_id());
    let other = id_of(next.next());
    next.end(root).expect("nothing of this rotation");
    assert_eq!(id_of(next.next()), other);
}

/// Where this runs as root: for the server's account, and whoever else made the file.
#[test]
fn new_files_belong_to_the_owner_of_the_current_one() {
    let (scratch, next, old) = Scratch::new();
    if chown(next.current(), Some(4_321), Some(4_321)).is_err() {
        return;
    }
    RootKey::generate()
        .create_file(next.next())
        .expect("as root");
    next.prepare().expect("given");
    let new = id_of(next.next());
    next.install(new).expect("installed");
    for path in [next.current(), next.next(), &scratch.copy_of(&old)] {
        let facts = fs::metadata(path).expect("there");
        assert_eq!((facts.uid(), facts.mode() & 0o7777), (4_321, 0o400));
    }
}
