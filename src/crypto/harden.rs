//! Keeping the process's memory out of other processes and off the disk.

use std::io;

/// Makes the process unreadable to debuggers of the same user and keeps it from leaving core files
/// (`PR_SET_DUMPABLE` 0 and `RLIMIT_CORE` 0). To be called first thing in `main`, before a key is
/// read.
///
/// The core limit is inherited by child processes; dumpable is not (`execve` resets it). While it
/// is off, `/proc/<pid>` files belong to root, so an unprivileged process cannot open its own
/// `/proc/self/environ` or be inspected with a debugger.
///
/// On other systems than Linux this does nothing.
///
/// # Errors
/// When the kernel refuses either (a seccomp filter does that).
pub fn harden_process() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{
            DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit,
        };
        set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
        let none = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        setrlimit(Resource::Core, none)?;
    }
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    #[test]
    fn afterwards_there_are_no_core_files_and_no_debuggers() {
        super::harden_process().expect("the kernel allows it");
        let behaviour = dumpable_behavior().expect("the kernel tells");
        assert_eq!(behaviour, DumpableBehavior::NotDumpable);
        let limit = getrlimit(Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
    }
}
