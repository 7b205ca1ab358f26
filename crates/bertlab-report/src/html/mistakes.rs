//! The most confident mistakes, with their texts: wrong labels in the data show here first.

use super::section;
use crate::markup::Markup;
use crate::mistakes::{Mistake, most_confident};
use crate::number::{percent, shortened};
use crate::run::RunReport;

/// Number of characters shown without unfolding.
const SHOWN: usize = 320;
/// Maximum number of characters shown.
const SHOWN_MAX: usize = 4000;

pub(super) fn write(main: &mut Markup, report: &RunReport) {
    let Some(facts) = &report.evaluation else { return };
    let mistakes = most_confident(facts, &report.model.labels);
    if mistakes.is_empty() {
        return;
    }
    section(main, "Most confident errors", |section| {
        let words = "Wrong predictions with the highest probability: difficult texts, or wrong labels.";
        section.leaf("p", &[], words);
        section.within("ol", &[("class", "mistakes")], |list| {
            mistakes.iter().for_each(|mistake| write_mistake(list, mistake));
        });
    });
}

fn write_mistake(list: &mut Markup, mistake: &Mistake) {
    list.within("li", &[], |item| {
        item.within("p", &[("class", "answer")], |line| {
            line.text("predicted ").leaf("mark", &[], &shortened(&mistake.answer, 60)).text(" with ");
            line.leaf("b", &[], &percent(mistake.probability)).text("; the label is ");
            line.leaf("mark", &[("class", "wanted")], &shortened(&mistake.wanted, 60));
            if let Some(probability) = mistake.probability_of_wanted {
                line.text(&format!(" ({})", percent(probability)));
            }
            line.leaf("span", &[("class", "aside")], &format!(" row {}", mistake.row));
        });
        if mistake.text.is_empty() {
            item.leaf("p", &[("class", "aside")], "(the row has token ids only)");
        } else {
            write_text(item, &mistake.text);
            mistake.pair.iter().for_each(|pair| write_text(item, pair));
        }
    });
}

/// Writes a text; long texts are folded.
fn write_text(item: &mut Markup, text: &str) {
    if text.chars().count() <= SHOWN + 80 {
        item.leaf("blockquote", &[("dir", "auto")], text);
        return;
    }
    item.leaf("blockquote", &[("dir", "auto")], &shortened(text, SHOWN));
    item.within("details", &[], |details| {
        details.leaf("summary", &[], "Full text");
        details.leaf("blockquote", &[("dir", "auto")], &shortened(text, SHOWN_MAX));
    });
}
