//! One line with live figures while something takes long; only on a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// Counts towards a total; the line goes away when dropped.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// With a total of 0 no total is shown.
    pub(crate) fn new(what: &'static str, total: u64) -> Self {
        let (bar, template) = if total == 0 {
            (ProgressBar::new_spinner(), "{pos} {msg}, {elapsed}")
        } else {
            (ProgressBar::new(total), "{wide_bar} {pos} of {len} {msg}, {elapsed}, {eta} left")
        };
        let style = ProgressStyle::with_template(template).expect("the templates above are well-formed");
        Self(bar.with_style(style).with_message(what))
    }

    /// Shows how far it is, a few times per second at most.
    pub(crate) fn show(&self, count: u64) {
        self.0.set_position(count);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_count() {
        for total in [0, 10] {
            let progress = Progress::new("streams", total);
            progress.show(7);
            assert_eq!(progress.0.position(), 7);
        }
    }
}
