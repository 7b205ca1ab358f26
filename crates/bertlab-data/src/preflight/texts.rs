//! Findings about single rows: no text, too many tokens, ids that the model does not know.

use super::finding::{Finding, Kind, Severity, percent, rows_that, single_excerpts, verb};
use super::{ModelLimits, SplitRows};
use crate::counts::{counted, grouped};
use bertlab_feedback::Hint;

/// From this share of all tokens on, what truncation loses is warned of.
const SHARE_LOST_WARNED: f64 = 0.1;
/// From these shares on, tokens that the tokenizer does not know are noted, and warned of.
const SHARE_UNKNOWN_NOTED: f64 = 0.001;
const SHARE_UNKNOWN_WARNED: f64 = 0.01;

/// All findings about single rows.
pub(super) fn findings(splits: &[SplitRows], limits: &ModelLimits) -> Vec<Finding> {
    let of_split = |rows| {
        [
            empty(rows, limits),
            truncated(rows, limits),
            few_blocks(rows),
            unknown_tokens(rows, limits),
            unknown_ids(rows, limits),
            too_long(rows, limits),
        ]
    };
    splits.iter().flat_map(of_split).flatten().collect()
}

fn empty(rows: &SplitRows, limits: &ModelLimits) -> Option<Finding> {
    let indices = indices(rows, |index| rows.dataset.records[index].is_blank());
    let n_rows = rows.dataset.records.len();
    let count = indices.len();
    // Without ids there is not even a [CLS] token: such a row cannot be run.
    let has_no_tokens = indices.iter().any(|&index| rows.dataset.records[index].input_ids.is_some());
    (count > 0).then(|| Finding {
        severity: match limits.leaves_out_blank {
            _ if has_no_tokens || count == n_rows => Severity::Fatal,
            true => Severity::Note,
            false => Severity::Warning,
        },
        kind: Kind::EmptyTexts,
        split: rows.split,
        count,
        sentence: format!(
            "{} no text ({}): {}",
            rows_that(count, ["holds", "hold"]),
            percent(count, n_rows),
            match limits.leaves_out_blank {
                true => "there is nothing to learn from them",
                false => "every answer to that is a guess. Leave such rows out",
            }
        ),
        excerpts: single_excerpts(rows, indices, &limits.class_names),
    })
}

fn truncated(rows: &SplitRows, limits: &ModelLimits) -> Option<Finding> {
    let mut indices = indices(rows, |index| rows.lengths.get(index).is_some_and(|length| length.n_cut > 0));
    let n_lost: usize = rows.lengths.iter().map(|length| length.n_cut).sum();
    let n_tokens: usize = rows.lengths.iter().map(|length| length.n_all()).sum();
    let count = indices.len();
    let longest_kept = indices.first().map(|&index| rows.lengths[index].n_tokens)?;
    let is_much = n_lost as f64 >= SHARE_LOST_WARNED * n_tokens as f64;
    // Those that lose most are shown.
    indices.sort_by_key(|&index| std::cmp::Reverse(rows.lengths[index].n_cut));
    Some(Finding {
        severity: if is_much { Severity::Warning } else { Severity::Note },
        kind: Kind::Truncation,
        split: rows.split,
        count,
        sentence: format!(
            "{} cut to {longest_kept} tokens ({}): {} of {} tokens ({}) are lost",
            rows_that(count, ["is", "are"]),
            percent(count, rows.lengths.len()),
            grouped(n_lost),
            grouped(n_tokens),
            percent(n_lost, n_tokens)
        ),
        excerpts: single_excerpts(rows, indices, &limits.class_names),
    })
}

/// Fewer than a batch by default: an epoch is one step, an evaluation a handful of guesses.
fn few_blocks(rows: &SplitRows) -> Option<Finding> {
    const BLOCKS_MIN: usize = 8;
    let blocks = rows.blocks.filter(|blocks| (1..BLOCKS_MIN).contains(&blocks.n_blocks))?;
    let n_rows = rows.dataset.records.len();
    Some(Finding {
        severity: Severity::Warning,
        kind: Kind::FewBlocks,
        split: rows.split,
        count: n_rows,
        sentence: format!(
            "{} end to end {} no more than {} of {} tokens. Shorter blocks ({}) or a text a row ({}) give more",
            counted(n_rows, "row"),
            verb(n_rows, ["makes", "make"]),
            counted(blocks.n_blocks, "block"),
            grouped(blocks.length),
            Hint::Setting("max_length"),
            Hint::On("line_by_line")
        ),
        excerpts: Vec::new(),
    })
}

fn unknown_tokens(rows: &SplitRows, limits: &ModelLimits) -> Option<Finding> {
    let n_unknown = |index: usize| rows.lengths.get(index).map_or(0, |length| length.n_unknown);
    let mut indices = indices(rows, |index| n_unknown(index) > 0);
    let n_tokens: usize = rows.lengths.iter().map(|length| length.n_tokens).sum();
    let n_all: usize = rows.lengths.iter().map(|length| length.n_unknown).sum();
    let share = n_all as f64 / n_tokens.max(1) as f64;
    indices.sort_by_key(|&index| std::cmp::Reverse(n_unknown(index)));
    (share >= SHARE_UNKNOWN_NOTED).then(|| Finding {
        severity: if share >= SHARE_UNKNOWN_WARNED { Severity::Warning } else { Severity::Note },
        kind: Kind::UnknownTokens,
        split: rows.split,
        count: indices.len(),
        sentence: format!(
            "{} of {} tokens ({}), in {}, are not in the tokenizer's vocabulary: the model cannot tell them apart. Is it \
             a tokenizer for this language?",
            grouped(n_all),
            grouped(n_tokens),
            percent(n_all, n_tokens),
            counted(indices.len(), "row")
        ),
        excerpts: single_excerpts(rows, indices, &limits.class_names),
    })
}

fn unknown_ids(rows: &SplitRows, limits: &ModelLimits) -> Option<Finding> {
    let is_unknown = |&id: &u32| id as usize >= limits.vocab_size;
    let ids = |index: usize| rows.dataset.records[index].input_ids.iter().flatten().copied();
    let indices = indices(rows, |index| ids(index).any(|id| is_unknown(&id)));
    let first = indices.first().and_then(|&index| ids(index).find(is_unknown))?;
    let vocabulary = grouped(limits.vocab_size);
    Some(Finding {
        severity: Severity::Fatal,
        kind: Kind::UnknownIds,
        split: rows.split,
        count: indices.len(),
        sentence: format!(
            "{} token ids beyond the vocabulary of {vocabulary} (the first is {first}): they were made with another \
             tokenizer. Give the texts instead",
            rows_that(indices.len(), ["holds", "hold"])
        ),
        excerpts: single_excerpts(rows, indices, &limits.class_names),
    })
}

/// Ready rows are taken as they are, so that one that is too long stops the run.
fn too_long(rows: &SplitRows, limits: &ModelLimits) -> Option<Finding> {
    let is_ready = |index: usize| rows.dataset.records[index].input_ids.is_some();
    let length = |index: usize| rows.lengths.get(index).map_or(0, |length| length.n_tokens);
    let indices = indices(rows, |index| is_ready(index) && length(index) > limits.tokens_max);
    let first = indices.first().map(|&index| length(index))?;
    Some(Finding {
        severity: Severity::Fatal,
        kind: Kind::TooLong,
        split: rows.split,
        count: indices.len(),
        sentence: format!(
            "{} more ready token ids than the {} that the model takes (the first has {first}): cut them where they are \
             made",
            rows_that(indices.len(), ["has", "have"]),
            limits.tokens_max
        ),
        excerpts: single_excerpts(rows, indices, &limits.class_names),
    })
}

fn indices(rows: &SplitRows, is_meant: impl Fn(usize) -> bool) -> Vec<usize> {
    (0..rows.dataset.records.len()).filter(|&index| is_meant(index)).collect()
}
