//! Text → [`Encoding`]: tokenization, truncation, special tokens, padding, in HuggingFace's order.

use tokenizers::parallelism::MaybeParallelIterator;
use tokenizers::utils::truncation::{TruncationDirection, TruncationStrategy};
use tokenizers::{Encoding as BackendEncoding, InputSequence, PostProcessor};

use crate::special::Role;
use crate::{EncodeOptions, Error, Keep, Padding, TextInput, Tokenizer, Truncation};

/// The tokens of one input. Every list has one entry per token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Encoding {
    /// Token ids.
    pub input_ids: Vec<u32>,
    /// 0 for the first text, 1 for the second (always 0 for RoBERTa), 0 for padding.
    pub token_type_ids: Vec<u32>,
    /// 1 for tokens, 0 for padding.
    pub attention_mask: Vec<u32>,
    /// 1 for special tokens that encoding added and for padding, 0 for other tokens.
    pub special_tokens_mask: Vec<u32>,
    /// The tokens as strings.
    pub tokens: Vec<String>,
    /// The characters `start..end` that each token covers in its text, in Unicode scalar values, not bytes;
    /// (0, 0) for special tokens and padding.
    pub offsets: Vec<(usize, usize)>,
    /// The index of each token's word in its text; `None` for special tokens and padding.
    pub word_ids: Vec<Option<u32>>,
    /// 0 for the first text, 1 for the second; `None` for special tokens and padding.
    pub sequence_ids: Vec<Option<usize>>,
    /// Number of tokens that truncation removed.
    pub n_truncated: usize,
}

/// Options that are validated and resolved, once for all inputs of a call.
pub(crate) struct Plan {
    add_special_tokens: bool,
    truncate_to: Option<TruncateTo>,
    pad_to: Option<PadTo>,
}

struct TruncateTo {
    /// Length in tokens, special tokens included.
    max_length: usize,
    requested: Truncation,
    strategy: TruncationStrategy,
    keep: Keep,
}

struct PadTo {
    /// `None` means the longest row of the batch.
    length: Option<usize>,
    id: u32,
    token: String,
    direction: TruncationDirection,
}

impl Tokenizer {
    /// Encodes one input. An empty second text is ignored, as in a call of HuggingFace's tokenizer with one
    /// input.
    ///
    /// A `max_length` below the number of special tokens is an error; HuggingFace does not truncate in that
    /// case.
    ///
    /// # Errors
    /// Options that contradict each other or lack a length; an input that the truncation strategy cannot
    /// shorten enough.
    pub fn encode(&self, input: &TextInput, options: &EncodeOptions) -> Result<Encoding, Error> {
        let plan = self.plan(options)?;
        let pair = input.pair.as_deref().filter(|pair| !pair.is_empty());
        let mut encoding = self.encode_unpadded(&input.text, pair, &plan)?;
        if let Some(pad_to) = &plan.pad_to {
            encoding.pad(pad_to.length.unwrap_or(0), pad_to);
        }
        Ok(encoding)
    }

    /// Encodes inputs in parallel and returns their encodings in order. `TOKENIZERS_PARALLELISM=false` in the
    /// environment limits it to one thread. A pair with an empty second text is encoded as a pair, with all
    /// separators, as in HuggingFace's batches. [`Padding::Longest`] pads to the longest of `inputs`.
    ///
    /// # Errors
    /// Those of [`Tokenizer::encode`]; an error of one input is an [`Error::Row`] with the input's index.
    pub fn encode_batch(
        &self,
        inputs: &[TextInput],
        options: &EncodeOptions,
    ) -> Result<Vec<Encoding>, Error> {
        let plan = self.plan(options)?;
        encode_rows(inputs, &plan, |input| self.encode_unpadded(&input.text, input.pair.as_deref(), &plan))
    }

    /// The number of special tokens that encoding adds to a text or to a pair of texts.
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
        let truncate_to = strategy.map(|strategy| {
            Ok::<TruncateTo, Error>(TruncateTo {
                max_length: max_length(format!("truncation {}", options.truncation))?,
                requested: options.truncation,
                strategy,
                keep: self.keep,
            })
        });
        let pad_to = match options.padding {
            Padding::None => None,
            Padding::Longest => Some(self.pad_to(options.padding, None)?),
            Padding::MaxLength => {
                let length = max_length("padding max_length".to_owned())?;
                Some(self.pad_to(options.padding, Some(length))?)
            }
        };
        Ok(Plan {
            add_special_tokens: options.add_special_tokens,
            truncate_to: truncate_to.transpose()?,
            pad_to,
        })
    }

    fn pad_to(&self, padding: Padding, length: Option<usize>) -> Result<PadTo, Error> {
        let token = self.special_token(Role::Padding).ok_or(Error::NoPadToken { padding })?;
        let direction = self.settings.padding_side.unwrap_or(TruncationDirection::Right);
        Ok(PadTo { length, id: token.id, token: token.content.clone(), direction })
    }

    fn encode_unpadded(&self, text: &str, pair: Option<&str>, plan: &Plan) -> Result<Encoding, Error> {
        let first = self.tokenize(text)?;
        let second = pair.map(|pair| self.tokenize(pair)).transpose()?;
        self.finish_unpadded(first, second, plan)
    }

    /// Truncates the tokens of one or two texts and joins them with special tokens.
    pub(crate) fn finish_unpadded(
        &self,
        first: BackendEncoding,
        second: Option<BackendEncoding>,
        plan: &Plan,
    ) -> Result<Encoding, Error> {
        let n_before = total_len(&first, second.as_ref());
        let (first, second) = match &plan.truncate_to {
            Some(to) => self.truncate(first, second, to, plan.add_special_tokens)?,
            None => (first, second),
        };
        let n_truncated = n_before - total_len(&first, second.as_ref());
        let merged = self.merge(first, second, plan.add_special_tokens)?;
        Ok(Encoding::from_backend(&merged, n_truncated))
    }

    /// Tokens of a text or of a list of words, without special tokens.
    pub(crate) fn tokenize<'s>(&self, text: impl Into<InputSequence<'s>>) -> Result<BackendEncoding, Error> {
        let text: InputSequence<'s> = text.into();
        self.backend.encode_char_offsets(text, false).map_err(encode_error)
    }

    fn truncate(
        &self,
        first: BackendEncoding,
        second: Option<BackendEncoding>,
        to: &TruncateTo,
        add_special_tokens: bool,
    ) -> Result<(BackendEncoding, Option<BackendEncoding>), Error> {
        let n_special_tokens = if add_special_tokens { self.n_special_tokens(second.is_some()) } else { 0 };
        let max_length = to.max_length;
        let n_tokens_max = max_length.checked_sub(n_special_tokens);
        let n_tokens_max = n_tokens_max.ok_or(Error::MaxLengthTooSmall { max_length, n_special_tokens })?;
        to.check(&first, second.as_ref(), n_tokens_max, n_special_tokens)?;
        let truncated = to.keep.truncate(first, second, n_tokens_max, to.strategy);
        let (mut first, mut second) = truncated.map_err(encode_error)?;
        // The post-processor would otherwise process and copy the removed tokens, which are not needed.
        first.take_overflowing();
        if let Some(second) = &mut second {
            second.take_overflowing();
        }
        Ok((first, second))
    }

    fn merge(
        &self,
        first: BackendEncoding,
        second: Option<BackendEncoding>,
        add_special_tokens: bool,
    ) -> Result<BackendEncoding, Error> {
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

/// Encodes rows in parallel, keeps their order and pads them as the options say.
pub(crate) fn encode_rows<T: Sync>(
    inputs: &[T],
    plan: &Plan,
    encode: impl Fn(&T) -> Result<Encoding, Error> + Sync,
) -> Result<Vec<Encoding>, Error> {
    let encode_row =
        |row: usize| encode(&inputs[row]).map_err(|error| Error::Row { row, source: Box::new(error) });
    let results: Vec<Result<Encoding, Error>> =
        (0..inputs.len()).into_maybe_par_iter().map(encode_row).collect();
    // Collected in order, so that the error is always that of the first invalid row.
    let mut encodings = results.into_iter().collect::<Result<Vec<_>, _>>()?;
    if let Some(pad_to) = &plan.pad_to {
        let longest = || encodings.iter().map(|encoding| encoding.input_ids.len()).max().unwrap_or(0);
        let length = pad_to.length.unwrap_or_else(longest);
        encodings.iter_mut().for_each(|encoding| encoding.pad(length, pad_to));
    }
    Ok(encodings)
}

impl TruncateTo {
    /// Checks that the strategy can shorten this input enough, to give a better error than the `tokenizers`
    /// crate. An input that fits is always valid, even `only_second` without a second text.
    fn check(
        &self,
        first: &BackendEncoding,
        second: Option<&BackendEncoding>,
        n_tokens_max: usize,
        n_special_tokens: usize,
    ) -> Result<(), Error> {
        let n_tokens_all = total_len(first, second);
        let n_to_remove = n_tokens_all.saturating_sub(n_tokens_max);
        let max_length = self.max_length;
        let target = match self.strategy {
            TruncationStrategy::LongestFirst => return Ok(()),
            TruncationStrategy::OnlyFirst => Some(first),
            TruncationStrategy::OnlySecond => second,
        };
        // A limit of 0 makes the crate empty every text, whatever the strategy is.
        if n_to_remove == 0 || n_tokens_max == 0 {
            return Ok(());
        }
        let n_tokens = n_tokens_all + n_special_tokens;
        let target = target.ok_or(Error::NoSecondText { n_tokens, max_length })?;
        if target.len() <= n_to_remove {
            let n_tokens = target.len();
            return Err(Error::TooShortToCut { strategy: self.requested, n_to_remove, n_tokens, max_length });
        }
        Ok(())
    }
}

impl Encoding {
    fn from_backend(tokens: &BackendEncoding, n_truncated: usize) -> Encoding {
        Encoding {
            input_ids: tokens.get_ids().to_vec(),
            token_type_ids: tokens.get_type_ids().to_vec(),
            attention_mask: tokens.get_attention_mask().to_vec(),
            special_tokens_mask: tokens.get_special_tokens_mask().to_vec(),
            tokens: tokens.get_tokens().to_vec(),
            offsets: tokens.get_offsets().to_vec(),
            word_ids: tokens.get_word_ids().to_vec(),
            sequence_ids: tokens.get_sequence_ids(),
            n_truncated,
        }
    }

    /// Number of tokens, padding included.
    pub fn len(&self) -> usize {
        self.input_ids.len()
    }

    /// Whether there are no tokens.
    pub fn is_empty(&self) -> bool {
        self.input_ids.is_empty()
    }

    fn pad(&mut self, length: usize, pad_to: &PadTo) {
        let n_padding = length.saturating_sub(self.len());
        let side = pad_to.direction;
        pad_list(&mut self.input_ids, n_padding, pad_to.id, side);
        pad_list(&mut self.token_type_ids, n_padding, 0, side);
        pad_list(&mut self.attention_mask, n_padding, 0, side);
        pad_list(&mut self.special_tokens_mask, n_padding, 1, side);
        pad_list(&mut self.tokens, n_padding, pad_to.token.clone(), side);
        pad_list(&mut self.offsets, n_padding, (0, 0), side);
        pad_list(&mut self.word_ids, n_padding, None, side);
        pad_list(&mut self.sequence_ids, n_padding, None, side);
    }
}

fn pad_list<T: Clone>(list: &mut Vec<T>, n_padding: usize, value: T, side: TruncationDirection) {
    let padding = std::iter::repeat_n(value, n_padding);
    match side {
        TruncationDirection::Right => list.extend(padding),
        TruncationDirection::Left => drop(list.splice(0..0, padding)),
    }
}

fn total_len(first: &BackendEncoding, second: Option<&BackendEncoding>) -> usize {
    first.len() + second.map_or(0, BackendEncoding::len)
}

fn encode_error(error: tokenizers::Error) -> Error {
    Error::Encode { reason: error.to_string() }
}
