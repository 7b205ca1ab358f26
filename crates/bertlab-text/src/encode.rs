//! Text → [`Encoding`]: pieces, truncation, special tokens, padding, in this order, as HuggingFace does it.

use tokenizers::parallelism::MaybeParallelIterator;
use tokenizers::utils::truncation::{TruncationDirection, TruncationStrategy};
use tokenizers::{Encoding as PieceEncoding, InputSequence, PostProcessor};

use crate::special::Role;
use crate::{EncodeOptions, Error, Keep, Padding, TextInput, Tokenizer, Truncation};

/// The ids of one input and all that is known of each. Every list has one entry per token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Encoding {
    /// Token ids.
    pub input_ids: Vec<u32>,
    /// 0 for the first text, 1 for the second (all 0 for RoBERTa); 0 for padding.
    pub token_type_ids: Vec<u32>,
    /// 1, and 0 for padding.
    pub attention_mask: Vec<u32>,
    /// 1 for special tokens that were put around the texts and for padding, else 0.
    pub special_tokens_mask: Vec<u32>,
    /// The tokens in words.
    pub tokens: Vec<String>,
    /// The characters (Unicode scalar values, not bytes) `start..end` of its text that the token covers;
    /// (0, 0) for special tokens and padding.
    pub offsets: Vec<(usize, usize)>,
    /// Which word of its text the token belongs to; `None` for special tokens and padding.
    pub word_ids: Vec<Option<u32>>,
    /// 0 for the first text, 1 for the second; `None` for special tokens and padding.
    pub sequence_ids: Vec<Option<usize>>,
    /// How many tokens truncation cut off.
    pub n_truncated: usize,
}

/// The options of a call, checked and completed once for all of its inputs.
pub(crate) struct Plan {
    add_special_tokens: bool,
    cut: Option<Cut>,
    fill: Option<Fill>,
}

struct Cut {
    /// With special tokens.
    max_length: usize,
    asked: Truncation,
    strategy: TruncationStrategy,
    keep: Keep,
}

struct Fill {
    /// `None`: to the longest of the batch.
    length: Option<usize>,
    id: u32,
    token: String,
    direction: TruncationDirection,
}

impl Tokenizer {
    /// Encodes one input, as a call of HuggingFace's tokenizer with one text does: an empty second text is none.
    ///
    /// A `max_length` below the number of special tokens is an error here; HuggingFace does not truncate at all then.
    ///
    /// # Errors
    /// Options that contradict one another or lack a length, an input that cannot be cut as asked.
    pub fn encode(&self, input: &TextInput, options: &EncodeOptions) -> Result<Encoding, Error> {
        let plan = self.plan(options)?;
        let pair = input.pair.as_deref().filter(|pair| !pair.is_empty());
        let mut encoding = self.encode_unpadded(&input.text, pair, &plan)?;
        if let Some(fill) = &plan.fill {
            encoding.fill_up(fill.length.unwrap_or(0), fill);
        }
        Ok(encoding)
    }

    /// Encodes inputs on all threads (one where the environment has `TOKENIZERS_PARALLELISM=false`), in their order. A
    /// pair with an empty second text is a pair, with all separators, as in HuggingFace's batches.
    /// [`Padding::Longest`] pads to the longest of these.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`]; of an input, as [`Error::Row`] with its place.
    pub fn encode_batch(
        &self,
        inputs: &[TextInput],
        options: &EncodeOptions,
    ) -> Result<Vec<Encoding>, Error> {
        let plan = self.plan(options)?;
        encode_rows(inputs, &plan, |input| self.encode_unpadded(&input.text, input.pair.as_deref(), &plan))
    }

    /// How many special tokens an input gets when they are added.
    pub fn n_special_tokens(&self, is_pair: bool) -> usize {
        self.post_processor.as_ref().map_or(0, |processor| processor.added_tokens(is_pair))
    }

    pub(crate) fn plan(&self, options: &EncodeOptions) -> Result<Plan, Error> {
        let max_length = |option: String| {
            let length = options.max_length.or(self.max_length);
            length.ok_or(Error::MaxLengthMissing { option })
        };
        let strategy = match options.truncation {
            Truncation::DoNotTruncate => None,
            Truncation::LongestFirst => Some(TruncationStrategy::LongestFirst),
            Truncation::OnlyFirst => Some(TruncationStrategy::OnlyFirst),
            Truncation::OnlySecond => Some(TruncationStrategy::OnlySecond),
        };
        let cut = strategy.map(|strategy| {
            Ok::<Cut, Error>(Cut {
                max_length: max_length(format!("truncation {}", options.truncation))?,
                asked: options.truncation,
                strategy,
                keep: self.keep,
            })
        });
        let fill = match options.padding {
            Padding::None => None,
            Padding::Longest => Some(self.fill(options.padding, None)?),
            Padding::MaxLength => {
                let length = max_length("padding max_length".to_owned())?;
                Some(self.fill(options.padding, Some(length))?)
            }
        };
        Ok(Plan { add_special_tokens: options.add_special_tokens, cut: cut.transpose()?, fill })
    }

    fn fill(&self, padding: Padding, length: Option<usize>) -> Result<Fill, Error> {
        let token = self.special_token(Role::Padding).ok_or(Error::NoPadToken { padding })?;
        let direction = self.settings.padding_side.unwrap_or(TruncationDirection::Right);
        Ok(Fill { length, id: token.id, token: token.content.clone(), direction })
    }

    fn encode_unpadded(&self, text: &str, pair: Option<&str>, plan: &Plan) -> Result<Encoding, Error> {
        let first = self.pieces_of(text)?;
        let second = pair.map(|pair| self.pieces_of(pair)).transpose()?;
        self.finish_unpadded(first, second, plan)
    }

    /// Pieces of one or two texts, cut and put together.
    pub(crate) fn finish_unpadded(
        &self,
        first: PieceEncoding,
        second: Option<PieceEncoding>,
        plan: &Plan,
    ) -> Result<Encoding, Error> {
        let n_before = n_pieces(&first, second.as_ref());
        let (first, second) = match &plan.cut {
            Some(cut) => self.cut(first, second, cut, plan.add_special_tokens)?,
            None => (first, second),
        };
        let n_truncated = n_before - n_pieces(&first, second.as_ref());
        let merged = self.put_together(first, second, plan.add_special_tokens)?;
        Ok(Encoding::from_pieces(&merged, n_truncated))
    }

    /// Of a text, or of words that stand for themselves.
    pub(crate) fn pieces_of<'s>(&self, text: impl Into<InputSequence<'s>>) -> Result<PieceEncoding, Error> {
        let text: InputSequence<'s> = text.into();
        self.pieces.encode_char_offsets(text, false).map_err(encode_error)
    }

    fn cut(
        &self,
        first: PieceEncoding,
        second: Option<PieceEncoding>,
        cut: &Cut,
        add_special_tokens: bool,
    ) -> Result<(PieceEncoding, Option<PieceEncoding>), Error> {
        let n_special_tokens = if add_special_tokens { self.n_special_tokens(second.is_some()) } else { 0 };
        let max_length = cut.max_length;
        let room = max_length.checked_sub(n_special_tokens);
        let room = room.ok_or(Error::MaxLengthTooSmall { max_length, n_special_tokens })?;
        cut.check_possible(&first, second.as_ref(), room, n_special_tokens)?;
        let cut = cut.keep.cut(first, second, room, cut.strategy);
        let (mut first, mut second) = cut.map_err(encode_error)?;
        // What was cut off would be processed and copied along, and nobody asks for it.
        first.take_overflowing();
        if let Some(second) = &mut second {
            second.take_overflowing();
        }
        Ok((first, second))
    }

    fn put_together(
        &self,
        first: PieceEncoding,
        second: Option<PieceEncoding>,
        add_special_tokens: bool,
    ) -> Result<PieceEncoding, Error> {
        if let Some(processor) = &self.post_processor {
            return processor.process(first, second, add_special_tokens).map_err(encode_error);
        }
        let mut merged = first;
        merged.set_sequence_id(0);
        if let Some(mut second) = second {
            second.set_type_ids(vec![1; second.len()]);
            second.set_sequence_id(1);
            merged.merge_with(second, false);
        }
        Ok(merged)
    }
}

/// Encodes rows on all threads, in their order, and pads them to one another's length where that is asked for.
pub(crate) fn encode_rows<T: Sync>(
    inputs: &[T],
    plan: &Plan,
    encode: impl Fn(&T) -> Result<Encoding, Error> + Sync,
) -> Result<Vec<Encoding>, Error> {
    let encode_row =
        |row: usize| encode(&inputs[row]).map_err(|error| Error::Row { row, source: Box::new(error) });
    let results: Vec<Result<Encoding, Error>> =
        (0..inputs.len()).into_maybe_par_iter().map(encode_row).collect();
    // Gathered in order here, so that it is always the first wrong row that is reported.
    let mut encodings = results.into_iter().collect::<Result<Vec<_>, _>>()?;
    if let Some(fill) = &plan.fill {
        let longest = || encodings.iter().map(|encoding| encoding.input_ids.len()).max().unwrap_or(0);
        let length = fill.length.unwrap_or_else(longest);
        encodings.iter_mut().for_each(|encoding| encoding.fill_up(length, fill));
    }
    Ok(encodings)
}

impl Cut {
    /// Errors where the crate would refuse, with the numbers of the case. Only what must be cut can fail:
    /// `only_second` without a second text is fine for an input that fits.
    fn check_possible(
        &self,
        first: &PieceEncoding,
        second: Option<&PieceEncoding>,
        room: usize,
        n_special_tokens: usize,
    ) -> Result<(), Error> {
        let n_tokens_all = n_pieces(first, second);
        let n_to_cut = n_tokens_all.saturating_sub(room);
        let max_length = self.max_length;
        let target = match self.strategy {
            TruncationStrategy::LongestFirst => return Ok(()),
            TruncationStrategy::OnlyFirst => Some(first),
            TruncationStrategy::OnlySecond => second,
        };
        // With no room at all the crate empties every text, whatever the strategy.
        if n_to_cut == 0 || room == 0 {
            return Ok(());
        }
        let n_tokens = n_tokens_all + n_special_tokens;
        let target = target.ok_or(Error::NoSecondText { n_tokens, max_length })?;
        if target.len() <= n_to_cut {
            let n_tokens = target.len();
            return Err(Error::TooShortToCut { strategy: self.asked, n_to_cut, n_tokens, max_length });
        }
        Ok(())
    }
}

impl Encoding {
    fn from_pieces(pieces: &PieceEncoding, n_truncated: usize) -> Encoding {
        Encoding {
            input_ids: pieces.get_ids().to_vec(),
            token_type_ids: pieces.get_type_ids().to_vec(),
            attention_mask: pieces.get_attention_mask().to_vec(),
            special_tokens_mask: pieces.get_special_tokens_mask().to_vec(),
            tokens: pieces.get_tokens().to_vec(),
            offsets: pieces.get_offsets().to_vec(),
            word_ids: pieces.get_word_ids().to_vec(),
            sequence_ids: pieces.get_sequence_ids(),
            n_truncated,
        }
    }

    /// Number of tokens, padding included.
    pub fn len(&self) -> usize {
        self.input_ids.len()
    }

    /// Whether there is no token at all.
    pub fn is_empty(&self) -> bool {
        self.input_ids.is_empty()
    }

    fn fill_up(&mut self, length: usize, fill: &Fill) {
        let n_missing = length.saturating_sub(self.len());
        let side = fill.direction;
        fill_list(&mut self.input_ids, n_missing, fill.id, side);
        fill_list(&mut self.token_type_ids, n_missing, 0, side);
        fill_list(&mut self.attention_mask, n_missing, 0, side);
        fill_list(&mut self.special_tokens_mask, n_missing, 1, side);
        fill_list(&mut self.tokens, n_missing, fill.token.clone(), side);
        fill_list(&mut self.offsets, n_missing, (0, 0), side);
        fill_list(&mut self.word_ids, n_missing, None, side);
        fill_list(&mut self.sequence_ids, n_missing, None, side);
    }
}

fn fill_list<T: Clone>(list: &mut Vec<T>, n_missing: usize, value: T, side: TruncationDirection) {
    let filling = std::iter::repeat_n(value, n_missing);
    match side {
        TruncationDirection::Right => list.extend(filling),
        TruncationDirection::Left => drop(list.splice(0..0, filling)),
    }
}

fn n_pieces(first: &PieceEncoding, second: Option<&PieceEncoding>) -> usize {
    first.len() + second.map_or(0, PieceEncoding::len)
}

fn encode_error(error: tokenizers::Error) -> Error {
    Error::Encode { reason: error.to_string() }
}
