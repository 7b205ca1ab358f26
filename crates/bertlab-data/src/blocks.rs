//! Texts end to end, cut into blocks of equal length: how a masked language model reads plain text.

use crate::tokenized::{Piece, TokenRow, TokenRows};
use serde::Serialize;

/// What texts end to end are cut into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BlockCounts {
    /// Tokens of a block.
    pub length: usize,
    /// Blocks, a shorter last one among them.
    pub n_blocks: usize,
    /// Tokens of the last block.
    pub n_tokens_of_last: usize,
    /// Tokens at the very end that are in no block.
    pub n_tokens_dropped: usize,
}

impl TokenRows {
    /// Without rows that hold no word: nothing can be learnt from them.
    #[must_use]
    pub fn with_words(self) -> Self {
        if self.iter().all(|row| row.has_word()) {
            return self;
        }
        let mut kept = Self::default();
        for row in self.iter().filter(TokenRow::has_word) {
            kept.ids.extend_from_slice(row.ids);
            kept.types.extend_from_slice(row.types);
            kept.pieces.extend_from_slice(row.pieces);
            kept.words.extend_from_slice(row.words);
            kept.lengths.push(row.ids.len() as u32);
            kept.n_cut.push(row.n_cut as u32);
        }
        kept
    }

    /// What [`Self::into_blocks`] makes of the rows.
    ///
    /// # Panics
    /// When `length` is 0.
    pub fn block_counts(&self, length: usize) -> BlockCounts {
        let n_kept = self.n_in_blocks(length);
        let n_blocks = n_kept.div_ceil(length);
        BlockCounts {
            length,
            n_blocks,
            n_tokens_of_last: n_kept - n_blocks.saturating_sub(1) * length,
            n_tokens_dropped: self.ids.len() - n_kept,
        }
    }

    /// Tokens without what is left at the end, where that holds no word.
    fn n_in_blocks(&self, length: usize) -> usize {
        assert!(length > 0, "blocks of no tokens");
        let n_whole = self.ids.len() - self.ids.len() % length;
        let is_wordless = self.pieces[n_whole..].iter().all(|&piece| piece == Piece::Special);
        if is_wordless { n_whole } else { self.ids.len() }
    }

    /// The rows end to end, cut into blocks of `length` tokens wherever that falls, as HuggingFace's run_mlm does it:
    /// every text brings its special tokens along, so that `[SEP]` and `[CLS]` stand where one ends and the next begins.
    ///
    /// What is left at the end becomes a shorter block, unless it holds no word. (run_mlm groups a thousand texts at a
    /// time, and drops what is left of each group.)
    ///
    /// # Panics
    /// When `length` is 0.
    pub fn into_blocks(mut self, length: usize) -> Self {
        let n_tokens = self.n_in_blocks(length);
        self.ids.truncate(n_tokens);
        self.types.truncate(n_tokens);
        self.pieces.truncate(n_tokens);
        let starts = (0..n_tokens).step_by(length);
        self.lengths = starts.map(|start| length.min(n_tokens - start) as u32).collect();
        self.n_cut = vec![0; self.lengths.len()];
        // A block has words of several rows.
        self.words = Vec::new();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Piece::{First, Next, Special};

    fn rows(pieces: &[&[Piece]]) -> TokenRows {
        let pieces_of_all = pieces.concat();
        TokenRows {
            ids: (0..pieces_of_all.len() as u32).collect(),
            types: vec![0; pieces_of_all.len()],
            pieces: pieces_of_all,
            lengths: pieces.iter().map(|row| row.len() as u32).collect(),
            n_cut: vec![3; pieces.len()],
            ..TokenRows::default()
        }
    }

    #[test]
    fn blocks_are_cut_wherever_they_end_and_the_rest_is_kept() {
        let texts: [&[Piece]; 2] = [&[Special, First, Next, Special], &[Special, First, Special]];
        let counts = |length| {
            let BlockCounts { n_blocks, n_tokens_of_last, n_tokens_dropped, .. } =
                rows(&texts).block_counts(length);
            (n_blocks, n_tokens_of_last, n_tokens_dropped)
        };
        assert_eq!([counts(3), counts(5), counts(100)], [(2, 3, 1), (2, 2, 0), (1, 7, 0)]);
        let blocks = rows(&texts).into_blocks(3);
        let ids: Vec<&[u32]> = blocks.iter().map(|row| row.ids).collect();
        // The last [SEP] alone is no block.
        assert_eq!(ids, [[0, 1, 2], [3, 4, 5]]);
        assert_eq!((blocks.ids.len(), blocks.types.len(), blocks.n_cut), (6, 6, vec![0, 0]));
        let blocks = rows(&texts).into_blocks(5);
        assert_eq!(blocks.lengths, [5, 2]);
        assert_eq!(rows(&texts).into_blocks(100).lengths, [7]);
        assert!(TokenRows::default().into_blocks(5).is_empty());
    }

    #[test]
    fn rows_without_a_word_are_left_out() {
        let texts: [&[Piece]; 3] = [&[Special, First, Special], &[Special, Special], &[First]];
        let kept = rows(&texts).with_words();
        assert_eq!((kept.ids, kept.lengths, kept.n_cut), (vec![0, 1, 2, 5], vec![3, 1], vec![3, 3]));
        assert_eq!(rows(&texts[..1]).with_words(), rows(&texts[..1]));
        assert_eq!(TokenRows::default().block_counts(4).n_blocks, 0);
    }
}
