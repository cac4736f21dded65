//! How far a long command is, on stderr: a bar where that is a terminal, else a line now and then.

use std::fmt;
use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::domain::rotation::Progress;

/// How often a line is printed where no bar can be drawn.
const LINE: Duration = Duration::from_secs(5);
const BAR: &str = "{msg} {wide_bar} {pos}/{len} ({eta})";

/// The progress of one piece of work.
pub(super) struct Shown {
    what: &'static str,
    way: Way,
}

enum Way {
    Bar(ProgressBar),
    Lines(Mutex<Instant>),
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shown").field(&self.what).finish()
    }
}

impl Shown {
    /// Shows nothing yet. `what` says what is being done.
    pub(super) fn new(what: &'static str) -> Self {
        let way = if std::io::stderr().is_terminal() {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            // The template is a constant, which a test has read.
            bar.set_style(
                ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar.set_message(what);
            Way::Bar(bar)
        } else {
            Way::Lines(Mutex::new(Instant::now()))
        };
        Self { what, way }
    }

    /// Shows how far it is.
    pub(super) fn at(&self, Progress { done, of }: Progress) {
        match &self.way {
            Way::Bar(bar) => {
                bar.set_length(of);
                bar.set_position(done);
            }
            Way::Lines(last) => {
                let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
                if last.elapsed() >= LINE || done == of {
                    *last = Instant::now();
                    eprintln!("keyway: {}: {done} of {of}", self.what);
                }
            }
        }
    }

    /// Takes the bar away: the result follows.
    pub(super) fn end(&self) {
        if let Way::Bar(bar) = &self.way {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_bar_can_be_drawn() {
        indicatif::ProgressStyle::with_template(super::BAR).expect("a template");
    }
}
