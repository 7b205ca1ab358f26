//! The terminal: output with or without colours, notes and errors on standard error, a closed pipe.

pub mod area_chart;
pub mod cache;
pub mod check;
pub mod evaluation;
pub mod forecast;
pub mod histogram;
pub mod lab;
pub mod learning;
pub mod live;
pub mod masked_lm;
pub mod matrix;
pub mod module_tree;
pub mod numbers;
pub mod progress;
pub mod prose;
pub mod style;
pub mod tagging;
pub mod token_lines;
pub mod training;

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};
use std::sync::Arc;

use anstream::{AutoStream, ColorChoice};
use anstyle::Style;
use bertlab::LoadReport;
use serde::Serialize;

use crate::args::ColorWhen;
use progress::Bars;

/// Where a command prints.
pub struct Console {
    /// Standard output. Nothing is taken out of what is written, so styles must come from [`Console::style`].
    pub out: BufWriter<StdoutLock<'static>>,
    /// Whether a person reads the output, rather than a program.
    pub is_terminal: bool,
    has_colours: bool,
    error_has_colours: bool,
    is_quiet: bool,
    bars: Arc<Bars>,
}

/// The width when it is not known.
const COLUMNS_DEFAULT: usize = 80;

impl Console {
    /// Looks at the standard streams.
    pub fn new(color: ColorWhen, is_quiet: bool) -> Self {
        let has_colours = |by_stream: ColorChoice| match color {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => by_stream != ColorChoice::Never,
        };
        Console {
            out: BufWriter::with_capacity(1 << 16, io::stdout().lock()),
            is_terminal: io::stdout().is_terminal(),
            has_colours: has_colours(AutoStream::choice(&io::stdout())),
            error_has_colours: has_colours(AutoStream::choice(&io::stderr())),
            is_quiet,
            bars: Arc::new(Bars::new(!is_quiet && io::stderr().is_terminal())),
        }
    }

    /// Where long work is shown. Its bar goes away when the work is done, and before anything is printed
    /// here.
    pub fn bars(&self) -> &Arc<Bars> {
        &self.bars
    }

    /// The style itself where there are colours, else none.
    pub fn style(&self, style: Style) -> Style {
        if self.has_colours { style } else { Style::new() }
    }

    /// As [`Console::style`], for standard error.
    pub fn error_style(&self, style: Style) -> Style {
        if self.error_has_colours { style } else { Style::new() }
    }

    /// Columns that a line may fill; no limit in a pipe.
    pub fn width(&self) -> usize {
        if !self.is_terminal {
            return usize::MAX;
        }
        terminal_size::terminal_size().map_or(COLUMNS_DEFAULT, |(width, _)| usize::from(width.0).max(20))
    }

    /// As [`Console::width`], for standard error.
    pub fn error_width(&self) -> usize {
        if !io::stderr().is_terminal() {
            return usize::MAX;
        }
        terminal_size::terminal_size().map_or(COLUMNS_DEFAULT, |(width, _)| usize::from(width.0).max(20))
    }

    /// A JSON value on a line of its own.
    pub fn json_line(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        // The error of a closed pipe must stay one: serde_json would wrap it.
        serde_json::to_writer(&mut self.out, value).map_err(io::Error::from)?;
        writeln!(self.out)?;
        Ok(())
    }

    /// A JSON value over several lines.
    pub fn json_pretty(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        serde_json::to_writer_pretty(&mut self.out, value).map_err(io::Error::from)?;
        writeln!(self.out)?;
        Ok(())
    }

    /// Something good to know, on standard error.
    pub fn note(&mut self, message: impl Display) -> anyhow::Result<()> {
        self.aside("note", style::DIM, message)
    }

    /// Something that a user should not miss, on standard error.
    pub fn warn(&mut self, message: impl Display) -> anyhow::Result<()> {
        self.aside("warning", style::WARNING, message)
    }

    fn aside(&mut self, word: &str, style: Style, message: impl Display) -> anyhow::Result<()> {
        self.bars.clear();
        if !self.is_quiet {
            // What was printed before comes before.
            self.out.flush()?;
            let style = if self.error_has_colours { style } else { Style::new() };
            let text = format!("{style}{word}:{style:#} {message}");
            writeln!(io::stderr(), "{}", prose::remark(&text, self.error_width()))?;
        }
        Ok(())
    }

    /// What is worth knowing about the weights, a warning each.
    pub fn report(&mut self, report: &LoadReport) -> anyhow::Result<()> {
        report.messages().iter().try_for_each(|message| self.warn(message))
    }

    /// Why the program ends. A cause that the message quotes already is not said twice.
    pub fn error(&mut self, error: &anyhow::Error) {
        self.bars.clear();
        let mut message = error.to_string();
        for cause in error.chain().skip(1).map(ToString::to_string) {
            if !message.contains(&cause) {
                message = format!("{message}: {cause}");
            }
        }
        let style = if self.error_has_colours { style::ERROR } else { Style::new() };
        // Where standard error is closed there is nobody to tell.
        let _ = self.out.flush();
        let _ = writeln!(io::stderr(), "{style}error:{style:#} {message}");
    }

    /// How a run ended that is neither done nor a failure: said even when notes are not wanted.
    pub fn notice(&mut self, message: impl Display) {
        self.bars.clear();
        let _ = self.out.flush();
        let _ = writeln!(io::stderr(), "{message}");
    }

    /// Whether notes and warnings are wanted.
    pub fn is_quiet(&self) -> bool {
        self.is_quiet
    }

    /// Whether a progress bar would be seen and is wanted.
    pub fn shows_progress(&self) -> bool {
        !self.is_quiet && io::stderr().is_terminal()
    }

    /// Writes out what is still held back.
    pub fn finish(&mut self) -> anyhow::Result<()> {
        Ok(self.out.flush()?)
    }
}
