//! Texts end to end, cut into blocks of equal length: how a masked language model reads plain text.

use crate::tokenized::{Piece, TokenRows};

impl TokenRows {
    /// The rows end to end, cut into blocks of `length` tokens wherever that falls, as HuggingFace's run_mlm does it:
    /// every text brings its special tokens along, so that `[SEP]` and `[CLS]` stand where one ends and the next begins.
    ///
    /// What is left at the end becomes a shorter block, unless it holds no word. (run_mlm groups a thousand texts at a
    /// time, and drops what is left of each group.)
    ///
    /// # Panics
    /// When `length` is 0.
    pub fn into_blocks(mut self, length: usize) -> Self {
        assert!(length > 0, "blocks of no tokens");
        let n_left = self.ids.len() % length;
        let n_whole = self.ids.len() - n_left;
        if self.pieces[n_whole..].iter().all(|&piece| piece == Piece::Special) {
            self.ids.truncate(n_whole);
            self.types.truncate(n_whole);
            self.pieces.truncate(n_whole);
        }
        let n_tokens = self.ids.len();
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
}
